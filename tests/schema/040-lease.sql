-- SPDX-License-Identifier: Apache-2.0
-- A block has one borrower at a time, an address one VE.
select plan(41);
create temp table b as select (block_sync('n1') ->> 0)::bigint as id;
select is((block_renew((select id from b)) ->> 'range'), '10.77.0.0/28', 'a node is lent a block');
select node_install('n2', 'https://127.0.0.1:7444', repeat('cd', 32), 2);
select is((block_renew((block_sync('n2') ->> 0)::bigint) ->> 'range'), '10.77.0.16/28', 'another node another one');
select node_install('n3', 'https://127.0.0.1:7445', repeat('ef', 32), 2);
select is(block_sync('n3'), '[]', 'a third finds all lent');
select throws_ok($$insert into block (pool_id, node_id, range, term)
  select pool_id, 'n3', '10.77.0.4/30', tstzrange(now(), now() + '1 s') from block limit 1$$,
  '23P01', null, 'no part of a block is lent twice');
select lives_ok($$insert into block (pool_id, node_id, range, term)
  select pool_id, 'n3', '10.77.0.4/30', tstzrange(now() + '1 h', now() + '2 h') from block limit 1$$,
  'unless after its term');
delete from block where node_id = 'n3';
update block set term = tstzrange('2025-12-31T00:00:00Z', upper(term)) where id = (select id from b);
create function pg_temp.report(leases text, released text) returns jsonb language sql as
  $$ select block_report((select id from b), 'nonce1', leases::jsonb, released::jsonb) $$;
select is(pg_temp.report('[{"address":"10.77.0.3","veid":100,"epoch":1,"since":"2026-01-01T00:00:00Z"}]', '[]'), '0',
  'a lease is recorded');
select is((select count(*)::int from lease where upper_inf(during)), 1, 'once');
select is(pg_temp.report('[{"address":"10.77.0.3","veid":100,"epoch":1,"since":"2026-01-01T00:00:00Z"}]', '[]'), '0',
  'and said again');
select is((select count(*)::int from lease), 1, 'it is the same');
select is(pg_temp.report('[{"address":"10.77.0.3","veid":101,"epoch":3,"since":"2026-01-01T00:20:00Z"}]',
  '[{"address":"10.77.0.3","veid":100,"epoch":1,"since":"2026-01-01T00:00:00Z","until":"2026-01-01T00:10:00Z"}]'), '0',
  'one VE after the other');
select is((select acked_epoch from block where id = (select id from b)), 1::bigint, 'what was released is acknowledged');
select is((select nonce from block where id = (select id from b)), 'nonce1', 'the nonce is kept for the next renewal');
select is(pg_temp.report('[{"address":"10.77.0.3","veid":101,"epoch":3,"since":"2026-01-01T00:20:00Z"},
  {"address":"10.77.0.3","veid":102,"epoch":4,"since":"2026-01-01T00:30:00Z"}]', '[]'), '1',
  'two VEs with one address: an alarm');
select is((select count(*)::int from audit where action = 'lease.alarm'), 1, 'in the audit log');
select is(pg_temp.report('[{"address":"192.0.2.1","veid":102,"epoch":5,"since":"2026-01-01T00:30:00Z"}]', '[]'), '1',
  'an address outside the block: an alarm');
select is(pg_temp.report('[{"address":"192.0.2.1","veid":102,"epoch":5,"since":"2026-01-01T00:30:00Z"}]', '[]'), '0',
  'once, though it is said again');
select is((select count(*)::int from audit where action = 'lease.alarm'), 2, 'and the audit log does not grow');
select is(pg_temp.report('[{"address":"10.77.0.3","veid":101,"epoch":3,"since":"2026-01-01T00:20:00Z"},
  {"address":"10.77.0.3","veid":102,"epoch":2,"since":"2026-01-01T00:25:00Z"}]', '[]'), '1', 'a stale epoch: an alarm');
select is(pg_temp.report('[{"address":"10.77.0.3","veid":101,"epoch":3,"since":"2026-01-01T00:20:00Z"}]',
  '[{"address":"10.77.0.3","veid":100,"epoch":1,"since":"2026-01-01T00:00:00Z","until":"2026-01-01T00:40:00Z"}]'), '0',
  'what is over and is said again');
select is((select upper(during) from lease where epoch = 1), '2026-01-01T00:10:00Z', 'stays as it ended');
select is(pg_temp.report('[{"address":"10.77.0.4","veid":999999,"epoch":8,"since":"2026-01-01T00:30:00Z"}]', '[]'), '1',
  'a lease for a VE that is gone: an alarm');
select is(pg_temp.report('[{"address":"10.77.0.4","veid":999999,"epoch":8,"since":"2026-01-01T00:30:00Z"}]', '[]'), '0', 'once');
select is(pg_temp.report(format('[{"address":"10.77.0.5","veid":%s,"epoch":9,"since":"2026-01-01T00:30:00Z"}]', pg_temp.veid('ann'))::text, '[]'), '0',
  'for one that is there it is none');
-- a node that lies
create temp table lies as select jsonb_agg(jsonb_build_object('address', '192.0.2.9', 'veid', 100, 'epoch', 100 + i,
  'since', '2026-01-01T00:30:00Z')) as l from generate_series(1, 40) i;
select is((select jsonb_agg(pg_temp.report('[]', l::text)) from lies, generate_series(1, 4)), '[16, 16, 8, 0]',
  'many lies are sixteen alarms at a time');
select is((select sum(lease_alarm('n3', '192.0.2.9', i, 100))::int from generate_series(1, 1002) i), 1000, 'and a thousand a day');
select is(pg_temp.report('[]', '[{"address":"10.77.0.6","veid":100,"epoch":20,"since":"2000-01-01T00:00:00Z","until":"3000-01-01T00:00:00Z"},
  {"address":"10.77.0.7","veid":100,"epoch":21,"since":"2999-01-01T00:00:00Z","until":"3000-01-01T00:00:00Z"}]'), '0', 'what a node says of the past and the future');
select is((select during from lease where epoch = 20), (select tstzrange(lower(term), now()) from block where id = (select id from b)),
  'is cut to the time that it had the block');
select ok((select not isempty(during) and upper(during) <= now() + interval '1 microsecond' from lease where epoch = 21), 'all of it');
-- Clocks: two leases of an address, one after the other, all of it ahead of ours or before the term
select is(pg_temp.report(format('[{"address":"10.77.0.5","veid":100,"epoch":31,"since":"%s"}]', now() + interval '70 ms')::jsonb::text,
  format('[{"address":"10.77.0.5","veid":100,"epoch":30,"since":"%s","until":"%s"}]', now() + interval '50 ms', now() + interval '60 ms')), '0',
  'a node whose clock is ahead');
select is((select count(*) from lease where epoch in (30, 31))::integer, 2, 'both leases are written down');
select is(pg_temp.report('[]', (select jsonb_agg(jsonb_build_object('address', '10.77.0.4', 'veid', 100, 'epoch', 32 + n,
  'since', lower(term) - interval '9 ms' + n * interval '2 ms', 'until', lower(term) - interval '8 ms' + n * interval '2 ms'))::text
  from block, generate_series(0, 2) n where id = (select id from b))), '0', 'a node whose clock is behind');
select is((select count(*) from lease where epoch in (32, 33, 34))::integer, 3, 'all three are written down');
update block set term = tstzrange(lower(term) - interval '1 day', now() + interval '59 s') where id = (select id from b);
select is(block_renew((select id from b)), null, 'a silent node''s block is not renewed');
select is(block_sync('n3'), '[]', 'nor lent before the quarantine is over');
update block set term = tstzrange(lower(term), now()) where id = (select id from b);
select is((block_renew((block_sync('n3') ->> 0)::bigint) ->> 'range'), '10.77.0.0/28', 'then it is');
select is((select count(*)::int from lease where upper_inf(during)), 0, 'and its leases have ended');
-- the next borrower counts from 1 as the first did
create function pg_temp.next(leases text, released text) returns jsonb language sql as
  $$ select block_report((select id from block where node_id = 'n3'), 'nonce3', leases::jsonb, released::jsonb) $$;
select is(pg_temp.next(format('[{"address":"10.77.0.3","veid":100,"epoch":1,"since":"%1$s"},{"address":"10.77.0.6","veid":101,"epoch":2,"since":"%1$s"}]',
  iso(now() + interval '1 s')), '[]'), '0', 'the next borrower of the block leases the same addresses');
select is((select count(*)::int from lease where node_id = 'n3' and upper_inf(during)), 2, 'it is written down, whatever the last one said');
select is((select count(*)::int from lease where address = '10.77.0.3' and epoch = 1), 2, 'beside what was');
select is(pg_temp.next('[]', format('[{"address":"10.77.0.3","veid":100,"epoch":1,"since":"%1$s","until":"%1$s"}]', iso(now() + interval '1 s'))), '0', 'the ends');
select is((select count(*)::int from lease where upper_inf(during)), 0, 'too');
