-- SPDX-License-Identifier: Apache-2.0
-- What is asked often reads what it is about, not all that ever was.
select plan(8);
insert into subscriber (email) select 'm' || i || '@example.net' from generate_series(1, 3000) i;
insert into ve (subscriber_id, node_id, template, plan, hostname, expires_at, state, desired, deleted_at)
  select id, 'n1', 'tiny', 'trial', 'h' || id, now(), 'absent', 'deleted', now() from subscriber where email like 'm%';
insert into job (veid, node_id, kind, state, finished_at)
  select veid, 'n1', 'stay', 'done', now() - random() * interval '30 days' - interval '1 minute' from ve, generate_series(1, 3)
  where deleted_at is not null;
insert into mail (recipient, subject, body, confirms, sent_at)
  select email, 'x', 'y', id, now() from subscriber where email like 'm%';
insert into block (pool_id, node_id, range, term)
  select id, 'n1', '10.77.0.0/28', tstzrange(now(), now() + interval '1 h') from pool where family(range) = 4;
insert into lease (address, veid, node_id, block_id, epoch, during)
  select '10.77.0.1', 1000, 'n1', id, i, tstzrange(now() - (i + 1) * interval '1 h', now() - i * interval '1 h')
  from block, generate_series(1, 3000) i;
insert into queue (subscriber_id, template, network) select id, 'tiny', '192.0.2.0/24' from subscriber where email like 'm%';
select pg_temp.work();
update job set finished_at = now() - interval '1 minute' where state = 'done';
analyze;
-- rows of this table that were read, one after the other or by an index
create function pg_temp.through(t regclass) returns bigint language sql as
  $$ select seq_tup_read + idx_tup_fetch from pg_stat_xact_all_tables where relid = t $$;
create function pg_temp.reads(t regclass, query text) returns bigint language plpgsql as $$
declare
  before bigint := pg_temp.through(t);
begin
  execute query;
  return pg_temp.through(t) - before;
end $$;
create function pg_temp.observe() returns text language sql as $$
  select format('select ve_observe(''n1'', %L, true)', jsonb_build_array(jsonb_build_object('veid', pg_temp.veid('ann'), 'status',
    jsonb_build_object('state', 'running', 'observed_generation', 1)))) $$;
select cmp_ok(pg_temp.reads('job', $$select home_get(pg_temp.h('ann'))$$), '<', 10::bigint, 'a page reads the jobs of its VE');
select cmp_ok(pg_temp.reads('mail', $$select home_get(pg_temp.h('ann'))$$), '<', 10::bigint, 'the letters of its reader');
select cmp_ok(pg_temp.reads('queue', $$select home_get(pg_temp.h('ann'))$$), '<', 10::bigint, 'and no line that its reader is not in');
select cmp_ok(pg_temp.reads('job', pg_temp.observe()), '<', 10::bigint, 'what a node says is held against late jobs');
select cmp_ok(pg_temp.reads('ve', pg_temp.observe()), '<', 10::bigint, 'and VEs that are there');
select cmp_ok(pg_temp.reads('ve', 'select capacity_get()'), '<', 10::bigint, 'the house counts those');
select cmp_ok(pg_temp.reads('subscriber', 'select capacity_get()'), '<', 10::bigint, 'not everybody who ever came');
select cmp_ok(pg_temp.reads('lease', 'select capacity_get()'), '<', 10::bigint, 'and live leases');
