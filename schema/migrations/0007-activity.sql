-- SPDX-License-Identifier: Apache-2.0
-- What is scarce goes to who is active: sleep and its steps, the line of those who
-- wait for a place, names, and pools with holes.
set local search_path = ve, ext;

alter type job_kind add value 'wake';
alter type job_kind add value 'idle';
alter type job_kind add value 'stay';

alter table plan
  add column idle_after interval not null default interval '15 minutes',
  add column stop_after interval not null default interval '1 day',
  add column warn interval not null default interval '2 minutes',
  add constraint plan_idle_check check (idle_after >= interval '0' and stop_after >= interval '0'
    and warn >= interval '0');
comment on column plan.idle_after is 'without activity so long a VE is frozen and gives its IPv4 back; 0 never';
comment on column plan.stop_after is 'frozen so long it is stopped; 0 never';
update plan set idle_after = interval '1 hour', stop_after = interval '7 days' where name = 'confirmed';

alter table ve
  add column activity text,
  add column idle_at timestamptz,
  add column waiting integer,
  add column frozen_at timestamptz,
  add column frozen_warned boolean not null default false,
  add constraint ve_activity_check check (length(activity) <= 200);
create unique index ve_hostname_key on ve (hostname) where deleted_at is null;

create table reserved_name (
  name text constraint reserved_name_pkey primary key
);
insert into reserved_name select unnest(array['admin', 'administrator', 'api', 'autoconfig', 'autodiscover',
  'dns', 'ftp', 'gateway', 'help', 'host', 'hostmaster', 'imap', 'info', 'localhost', 'login', 'mail', 'mx',
  'node', 'ns', 'ns1', 'ns2', 'pop', 'portal', 'postmaster', 'root', 'security', 'smtp', 'ssh', 'status',
  'support', 'vestibule', 'webmaster', 'wpad', 'www']);

alter table pool add column excluded cidr[] not null default '{}';
comment on column pool.excluded is 'parts of the range that are lent to nobody: routers, names that are printed on paper';
drop function if exists pool_insert(text, cidr, integer);
drop function if exists pool_add(bytea, text, integer);

create table queue (
  id bigint generated always as identity constraint queue_pkey primary key,
  subscriber_id bigint not null constraint queue_subscriber_fk references subscriber
    constraint queue_one_a_person_key unique,
  template text not null constraint queue_template_fk references template,
  network cidr not null,
  since timestamptz not null default now()
);
comment on table queue is 'who waits for a place; networks take turns, and within one whoever came first';

create table queue_turn (
  network cidr constraint queue_turn_pkey primary key,
  served bigint not null
);
comment on column queue_turn.served is 'the number of the last place that went there';
create sequence queue_served_seq;

create table queue_pace (
  one boolean constraint queue_pace_pkey primary key default true,
  seconds double precision not null,
  last_at timestamptz not null default now(),
  constraint queue_pace_one_check check (one)
);
comment on column queue_pace.seconds is 'from one place to the next, of late';

alter table node add column short_at timestamptz;
comment on column node.short_at is 'when this node wanted one more block and none was left';
drop function if exists ve_create(bytea, text);
