-- SPDX-License-Identifier: Apache-2.0
-- Plans are sets of limits: the rows of /proc/user_beancounters, CPU, bandwidth,
-- flows, disk.  What VEs use of them, the last hour of it, and what was refused.
set local search_path = ve, ext;

create table bean (
  name text constraint bean_pkey primary key,
  position integer not null constraint bean_position_key unique,
  unit text not null,
  kind text not null,
  title text not null,
  act text not null,
  constraint bean_unit_check check (unit in ('count', 'bytes', 'pages')),
  constraint bean_kind_check check (kind in ('refuse', 'reclaim', 'guarantee'))
);
comment on table bean is 'the rows of /proc/user_beancounters in words: what is counted, and what a refusal refuses';
insert into bean values
  ('kmemsize', 1, 'bytes', 'refuse', 'kernel memory', 'kernel memory'),
  ('lockedpages', 2, 'pages', 'refuse', 'locked memory', 'locking memory'),
  ('privvmpages', 3, 'pages', 'refuse', 'private memory', 'memory'),
  ('shmpages', 4, 'pages', 'refuse', 'shared memory', 'shared memory'),
  ('numproc', 5, 'count', 'refuse', 'processes', 'fork'),
  ('physpages', 6, 'pages', 'reclaim', 'memory in use', 'memory'),
  ('vmguarpages', 7, 'pages', 'guarantee', 'memory promised', 'memory'),
  ('oomguarpages', 8, 'pages', 'guarantee', 'memory kept when it runs out', 'memory'),
  ('numtcpsock', 9, 'count', 'refuse', 'TCP sockets', 'a TCP socket'),
  ('numflock', 10, 'count', 'refuse', 'file locks', 'a file lock'),
  ('numpty', 11, 'count', 'refuse', 'terminals', 'a terminal'),
  ('numsiginfo', 12, 'count', 'refuse', 'waiting signals', 'a signal'),
  ('tcpsndbuf', 13, 'bytes', 'refuse', 'TCP being sent', 'sending by TCP'),
  ('tcprcvbuf', 14, 'bytes', 'refuse', 'TCP being received', 'receiving by TCP'),
  ('othersockbuf', 15, 'bytes', 'refuse', 'other sockets'' buffers', 'sending'),
  ('dgramrcvbuf', 16, 'bytes', 'refuse', 'datagrams being received', 'a datagram'),
  ('numothersock', 17, 'count', 'refuse', 'other sockets', 'a socket'),
  ('dcachesize', 18, 'bytes', 'refuse', 'names of files in memory', 'a file'),
  ('numfile', 19, 'count', 'refuse', 'open files', 'open'),
  ('numiptent', 20, 'count', 'refuse', 'packet filter rules', 'a packet filter rule'),
  ('swappages', 21, 'pages', 'reclaim', 'swap', 'swap');

alter table plan
  add column title text not null default '',
  add column cpu_cap integer not null default 0,
  add column cpus integer not null default 0,
  add column up_rate bigint not null default 0,
  add column up_ceil bigint not null default 0,
  add column down_rate bigint not null default 0,
  add column down_ceil bigint not null default 0,
  add column flow_rate integer not null default 0,
  add column flow_burst integer not null default 0,
  add column io_weight integer,
  add constraint plan_name_check check (name ~ '^[a-z][a-z0-9-]{0,30}$'),
  add constraint plan_title_check check (length(title) <= 60 and title !~ '[[:cntrl:]]'),
  add constraint plan_cpu_check check (cpu_cap between 0 and 409600 and cpus between 0 and 4096),
  add constraint plan_up_check check (up_rate between 0 and 1099511627776 and up_ceil between 0 and 1099511627776
    and (up_rate = 0 or up_rate >= 1000) and (up_ceil = 0 or up_ceil >= greatest(up_rate, 1000))),
  add constraint plan_down_check check (down_rate between 0 and 1099511627776 and down_ceil between 0 and 1099511627776
    and (down_rate = 0 or down_rate >= 1000) and (down_ceil = 0 or down_ceil >= greatest(down_rate, 1000))),
  add constraint plan_flow_check check (flow_rate between 0 and 10000000 and flow_burst between 0 and 10000000),
  add constraint plan_io_check check (io_weight between 1 and 10000),
  add constraint plan_most_check check (memory_bytes <= 1099511627776 and processes <= 1000000
    and disk_bytes <= 1125899906842624 and life <= interval '100 years' and grace <= interval '100 years'
    and idle_after <= interval '1 year' and stop_after <= interval '1 year' and warn <= interval '1 day');
comment on column plan.cpu_cap is 'in percent of one CPU; 0 none';
comment on column plan.cpus is 'that a VE sees; 0 all of its node''s';
comment on column plan.up_rate is 'bytes a second that are always to be had; up_ceil with what others leave; 0 no bound';
comment on column plan.flow_rate is 'new flows a second; 0 no bound';

create table plan_bean (
  plan text not null constraint plan_bean_plan_fk references plan,
  bean text not null constraint plan_bean_bean_fk references bean,
  barrier bigint not null,
  "limit" bigint not null,
  constraint plan_bean_pkey primary key (plan, bean),
  constraint plan_bean_check check (barrier >= 0 and barrier <= "limit")
);
comment on table plan_bean is 'a row that is missing has no bound';

update plan set title = 'Fresh', flow_rate = 20, flow_burst = 200, up_rate = 262144, up_ceil = 2097152,
  down_rate = 262144, down_ceil = 4194304 where name = 'trial';
update plan set title = 'Confirmed', flow_rate = 100, flow_burst = 1000, up_rate = 524288, up_ceil = 4194304,
  down_rate = 1048576, down_ceil = 8388608 where name = 'confirmed';
insert into plan (name, title, memory_bytes, processes, cpu_weight, disk_bytes, life, grace, egress, idle_after, stop_after,
    warn, flow_rate, flow_burst, up_rate, up_ceil, down_rate, down_ceil) values
  ('large', 'Large', 1073741824, 1024, 400, 8589934592, interval '365 days', interval '30 days', true, interval '1 day',
    interval '30 days', interval '10 minutes', 500, 5000, 2097152, 12582912, 4194304, 25165824);
insert into plan_bean
  select p.name, b.bean, b.barrier * p.times, b."limit" * p.times
    from (values ('trial', 1), ('confirmed', 2), ('large', 8)) p(name, times),
      (values ('kmemsize', 67108864, 75497472), ('lockedpages', 1024, 1024), ('privvmpages', 131072, 139264),
        ('shmpages', 16384, 16384), ('numtcpsock', 256, 256), ('numflock', 256, 288), ('numpty', 32, 32),
        ('numsiginfo', 512, 512), ('tcpsndbuf', 8388608, 12582912), ('tcprcvbuf', 8388608, 12582912),
        ('othersockbuf', 4194304, 8388608), ('dgramrcvbuf', 4194304, 4194304), ('numothersock', 256, 256),
        ('dcachesize', 16777216, 18874368), ('numfile', 4096, 4096)) b(bean, barrier, "limit");

create table usage_now (
  veid integer constraint usage_now_pkey primary key constraint usage_now_ve_fk references ve,
  at timestamptz not null,
  usage jsonb
);
comment on column usage_now.usage is 'as the node sent it; null: it counts nothing';

create table usage_sample (
  veid integer not null constraint usage_sample_ve_fk references ve,
  slot integer not null,
  at timestamptz not null,
  held bigint[] not null,
  constraint usage_sample_pkey primary key (veid, slot),
  constraint usage_sample_slot_check check (slot between 0 and 59),
  constraint usage_sample_held_check check (cardinality(held) = 21)
);
comment on table usage_sample is 'the last hour, a slot a minute: it never holds more; held in the order of bean.position';

create table refusal (
  id bigint generated always as identity constraint refusal_pkey primary key,
  veid integer not null constraint refusal_ve_fk references ve,
  node_id text not null constraint refusal_node_fk references node,
  event_id bigint not null,
  at timestamptz not null,
  bean text not null constraint refusal_bean_fk references bean,
  held bigint not null,
  bound bigint not null,
  times bigint not null,
  program text not null,
  constraint refusal_event_key unique (node_id, event_id, at),
  constraint refusal_program_check check (length(program) <= 64)
);
comment on table refusal is 'what a node''s kernel refused a VE; the last 50 of each VE are kept';
create index refusal_veid_idx on refusal (veid, id);
create index ve_plan_idx on ve (plan) where deleted_at is null;
