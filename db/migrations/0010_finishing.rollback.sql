drop function conversations_left_behind;
drop function give_back_turn;
drop function save_turn_messages;
drop function charge_turn;
drop function complete_turn;
drop function claim_outbound_message;
drop function commit_turn;
