drop function book_lost_call;
drop function charge_late;
drop table model_breakers;
drop table model_slots;
