-- SPDX-License-Identifier: Apache-2.0
-- Who may do what: subscribers, how they prove it, and for how long.
set local search_path = ve, ext;

create type subscriber_role as enum ('subscriber', 'operator');

create table subscriber (
  id bigint generated always as identity constraint subscriber_pkey primary key,
  email text not null,
  role subscriber_role not null default 'subscriber',
  suspended_at timestamptz,
  suspended_why text,
  created_at timestamptz not null default now(),
  created_from inet,
  constraint subscriber_email_check check (
    length(email) between 3 and 254 and email = lower(email)
    and email ~ '^[^@[:space:][:cntrl:]]{1,64}@[^@[:space:][:cntrl:]]{1,189}$'),
  constraint subscriber_suspended_check check (
    (suspended_at is null) = (suspended_why is null)
    and length(suspended_why) between 1 and 500)
);
create unique index subscriber_email_key on subscriber (email);

create table credential (
  subscriber_id bigint constraint credential_pkey primary key
    constraint credential_subscriber_fk references subscriber,
  password_hash text not null,
  changed_at timestamptz not null default now(),
  constraint credential_password_hash_check check (
    password_hash like '$argon2id$%' and length(password_hash) <= 200)
);

create table session (
  id bigint generated always as identity constraint session_pkey primary key,
  token_hash bytea not null constraint session_token_hash_key unique,
  subscriber_id bigint not null constraint session_subscriber_fk references subscriber,
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '7 days',
  ended_at timestamptz,
  address inet,
  constraint session_token_hash_check check (octet_length(token_hash) = 32)
);
comment on column session.token_hash is 'SHA-256 of the cookie; the cookie itself is kept nowhere';
create index session_subscriber_idx on session (subscriber_id) where ended_at is null;

create table ssh_key (
  id bigint generated always as identity constraint ssh_key_pkey primary key,
  subscriber_id bigint not null constraint ssh_key_subscriber_fk references subscriber,
  kind text not null,
  blob text not null,
  fingerprint text not null constraint ssh_key_fingerprint_key unique,
  comment text not null default '',
  created_at timestamptz not null default now(),
  used_at timestamptz,
  constraint ssh_key_kind_check check (kind ~ '^[a-z0-9@.-]{1,64}$'),
  constraint ssh_key_blob_check check (
    blob ~ '^[A-Za-z0-9+/]+={0,2}$' and length(blob) between 40 and 3000),
  constraint ssh_key_fingerprint_check check (fingerprint ~ '^SHA256:[A-Za-z0-9+/]{43}$'),
  constraint ssh_key_comment_check check (
    length(comment) <= 100 and comment !~ '[[:cntrl:]]')
);
create index ssh_key_subscriber_idx on ssh_key (subscriber_id);

create table rate_rule (
  kind text constraint rate_rule_pkey primary key,
  per interval not null,
  most integer not null,
  constraint rate_rule_check check (per > interval '0' and most > 0)
);
insert into rate_rule values
  ('signup', interval '1 hour', 20),
  ('login', interval '5 minutes', 60),
  ('login_account', interval '15 minutes', 10),
  ('ticket', interval '1 minute', 60);

create table rate (
  kind text not null constraint rate_kind_fk references rate_rule,
  key text not null,
  since timestamptz not null,
  taken integer not null,
  constraint rate_pkey primary key (kind, key)
);
