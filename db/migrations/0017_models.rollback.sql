drop table model_breakers;
drop table model_slots;
