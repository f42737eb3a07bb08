-- SPDX-License-Identifier: Apache-2.0
-- What was done, and what is to be said about it by mail.
set local search_path = ve, ext;

create table audit (
  id bigint constraint audit_pkey primary key,
  at timestamptz not null,
  actor text not null,
  action text not null,
  subscriber_id bigint,
  veid integer,
  detail jsonb not null,
  hash bytea not null,
  constraint audit_actor_check check (length(actor) between 1 and 300),
  constraint audit_action_check check (action ~ '^[a-z]+\.[a-z_]+$')
);
comment on column audit.hash is
  'SHA-256 over the previous row''s hash and this row; a change anywhere breaks every hash after it';
create index audit_subscriber_idx on audit (subscriber_id, id);

create table audit_head (
  one boolean constraint audit_head_pkey primary key default true,
  id bigint not null,
  hash bytea not null,
  constraint audit_head_one_check check (one)
);
insert into audit_head (id, hash) values (0, '\x00');

create function audit_refuse() returns trigger
  language plpgsql set search_path = ve, pg_temp as $$
begin
  raise exception 'the audit log is only added to';
end
$$;
create trigger audit_append_only before update or delete or truncate on audit
  for each statement execute function audit_refuse();

create table mail (
  id bigint generated always as identity constraint mail_pkey primary key,
  recipient text not null,
  subject text not null,
  body text not null,
  created_at timestamptz not null default now(),
  run_at timestamptz not null default now(),
  attempts integer not null default 0,
  sent_at timestamptz,
  error text,
  constraint mail_subject_check check (length(subject) <= 200 and subject !~ '[[:cntrl:]]'),
  constraint mail_body_check check (length(body) <= 20000),
  constraint mail_error_check check (length(error) <= 500)
);
create index mail_queue_idx on mail (run_at) where sent_at is null;
