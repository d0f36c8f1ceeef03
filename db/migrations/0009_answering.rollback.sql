drop function bury_turn;
drop function end_turn;
drop function open_turn;
drop function gather_turn;
drop function require_fence;
drop function release_conversation;
drop function claim_conversation;
drop function lease;
