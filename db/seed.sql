-- One demo organization, for a first run. Safe to run again: it adds what is missing and changes
-- nothing that is there. Secrets and documents are not here: ./chatmill makes the first for each
-- installation and reads the second from db/demo/.

insert into plans (id, name, message_limit, token_limit) values
  ('demo', 'Demo', 100000, 500000000)
on conflict do nothing;

insert into prices (model, valid_from, input_microcents_per_token, output_microcents_per_token) values
  ('chatmill-offline', '2026-01-01', 0, 0)
on conflict do nothing;

insert into organizations (id, plan_id, name, time_zone) values
  ('0a000000-0000-4000-8000-000000000001', 'demo', 'Aroma Norte', 'Europe/Lisbon')
on conflict do nothing;

insert into chatbots (id, organization_id, name, instructions, unknown_reply, debounce_seconds) values
  ('0b000000-0000-4000-8000-000000000001', '0a000000-0000-4000-8000-000000000001', 'Nora',
   'Aroma Norte is an online shop for coffee and espresso equipment. Be friendly and brief. '
   'You can''t change orders, refund money or see a customer''s data: say so when asked.',
   'I am not sure about that. A colleague can help you at help@example.com, '
   'Monday to Friday.',
   0)
on conflict do nothing;

insert into channels (id, organization_id, chatbot_id, kind, name, url_key, account_id) values
  ('0c000000-0000-4000-8000-000000000001', '0a000000-0000-4000-8000-000000000001',
   '0b000000-0000-4000-8000-000000000001', 'whatsapp', 'WhatsApp +351 21 000 0000',
   'demo-whatsapp', '100000000000001'),
  ('0c000000-0000-4000-8000-000000000002', '0a000000-0000-4000-8000-000000000001',
   '0b000000-0000-4000-8000-000000000001', 'web', 'Web chat', 'demo-web-chat', 'demo-web-chat')
on conflict do nothing;
