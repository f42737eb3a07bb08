-- SPDX-License-Identifier: Apache-2.0
-- The VEs: what they should be, what they were last seen to be, the work in
-- between, and the addresses that they hold while they are active.
set local search_path = ve, ext;

create sequence veid_seq as integer minvalue 1000 start 1000 no cycle;

create type ve_desired as enum ('running', 'stopped', 'deleted');
create type ve_state as enum
  ('absent', 'stopped', 'starting', 'running', 'stopping', 'frozen', 'failed');

create table ve (
  veid integer not null default nextval('veid_seq') constraint ve_pkey primary key,
  subscriber_id bigint not null constraint ve_subscriber_fk references subscriber,
  node_id text not null constraint ve_node_fk references node,
  template text not null constraint ve_template_fk references template,
  plan text not null constraint ve_plan_fk references plan,
  hostname text not null,
  ipv6 inet constraint ve_ipv6_key unique,
  desired ve_desired not null default 'running',
  suspended boolean not null default false,
  generation integer not null default 1,
  state ve_state not null default 'absent',
  state_suspended boolean not null default false,
  state_generation integer not null default 0,
  state_ipv4 inet,
  state_error text,
  state_at timestamptz,
  active_at timestamptz,
  terminals integer not null default 0,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  warned_at timestamptz,
  expired_at timestamptz,
  deleted_at timestamptz,
  constraint ve_hostname_check check (hostname ~ '^[a-z][a-z0-9-]{0,62}$'),
  constraint ve_generation_check check (generation > 0),
  constraint ve_deleted_check check (deleted_at is null or desired = 'deleted'),
  constraint ve_state_error_check check (length(state_error) <= 500)
);
create unique index ve_one_a_person_key on ve (subscriber_id) where deleted_at is null;
create index ve_node_idx on ve (node_id) where deleted_at is null;
create index ve_expiry_idx on ve (expires_at) where deleted_at is null;

create table lease (
  id bigint generated always as identity constraint lease_pkey primary key,
  address inet not null,
  veid integer not null,
  node_id text not null constraint lease_node_fk references node,
  block_id bigint not null constraint lease_block_fk references block,
  epoch bigint not null,
  during tstzrange not null,
  constraint lease_address_check check (masklen(address) in (32, 128)),
  constraint lease_epoch_key unique (address, epoch),
  constraint lease_one_ve_an_address_excl exclude using gist
    (address inet_ops with &&, during with &&)
);
comment on table lease is
  'written after the fact from what nodes report; the constraint is the alarm, the block is the lock';
create index lease_live_idx on lease (block_id) where upper_inf(during);
create index lease_veid_idx on lease (veid);

create type job_kind as enum
  ('create', 'start', 'stop', 'restart', 'reinstall', 'delete', 'suspend', 'unsuspend');
create type job_state as enum ('queued', 'running', 'done', 'failed', 'superseded');

create table job (
  id bigint generated always as identity constraint job_pkey primary key,
  key uuid not null default gen_random_uuid() constraint job_key_key unique,
  veid integer not null constraint job_ve_fk references ve,
  node_id text not null constraint job_node_fk references node,
  kind job_kind not null,
  state job_state not null default 'queued',
  attempts integer not null default 0,
  run_at timestamptz not null default now(),
  locked_until timestamptz,
  stage text not null default '',
  error text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  constraint job_stage_check check (length(stage) <= 100),
  constraint job_error_check check (length(error) <= 500),
  constraint job_finished_check check (
    (finished_at is null) = (state in ('queued', 'running')))
);
comment on column job.key is 'the Idempotency-Key of the call to the agent, the same at each attempt';
create unique index job_one_live_a_ve_key on job (veid) where state in ('queued', 'running');
create index job_queue_idx on job (node_id, run_at) where state in ('queued', 'running');

create function job_check_step() returns trigger
  language plpgsql set search_path = ve, pg_temp as $$
begin
  if old.state in ('done', 'failed', 'superseded') then
    raise exception using errcode = 'VE017',
      message = format('job %s is %s and stays so', old.id, old.state);
  end if;
  return new;
end
$$;
create trigger job_step before update of state on job
  for each row execute function job_check_step();

create function job_wake() returns trigger
  language plpgsql set search_path = ve, pg_temp as $$
begin
  perform pg_notify('ve_job', new.node_id);
  return null;
end
$$;
create trigger job_wake after insert on job
  for each row execute function job_wake();

create table ticket (
  token_hash bytea not null constraint ticket_pkey primary key,
  session_id bigint not null constraint ticket_session_fk references session,
  veid integer not null constraint ticket_ve_fk references ve,
  expires_at timestamptz not null default now() + interval '30 seconds',
  constraint ticket_token_hash_check check (octet_length(token_hash) = 32)
);
create index ticket_expiry_idx on ticket (expires_at);
