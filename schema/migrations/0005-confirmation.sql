-- SPDX-License-Identifier: Apache-2.0
-- A confirmed e-mail address opens more; the letter that asks for it.
set local search_path = ve, ext;

alter type job_kind add value 'apply';

alter table subscriber add column confirmed_at timestamptz;

alter table plan add column egress boolean not null default false;
comment on column plan.egress is 'whether what a VE sends may leave the node';
insert into plan (name, memory_bytes, processes, cpu_weight, disk_bytes, life, grace, egress) values
  ('confirmed', 268435456, 256, 200, 2147483648, interval '30 days', interval '14 days', true);

create table confirmation (
  token_hash bytea not null constraint confirmation_pkey primary key,
  subscriber_id bigint not null constraint confirmation_subscriber_fk references subscriber,
  expires_at timestamptz not null default now() + interval '24 hours',
  constraint confirmation_token_hash_check check (octet_length(token_hash) = 32)
);
comment on table confirmation is
  'links that were sent and are good for one use; the words in them are made while a letter is sent and are kept nowhere';
create index confirmation_subscriber_idx on confirmation (subscriber_id);

alter table mail
  add column confirms bigint constraint mail_confirms_fk references subscriber,
  add column failed_at timestamptz;
comment on column mail.confirms is
  'the letter is for this subscriber''s confirmation: {link} in it becomes a fresh link whenever it is sent';
comment on column mail.failed_at is 'given up: refused for good, or tried too often';
drop index mail_queue_idx;
create index mail_queue_idx on mail (run_at) where sent_at is null and failed_at is null;

drop function if exists mail_finish(bigint, text);

insert into rate_rule values ('confirm', interval '1 hour', 3);
