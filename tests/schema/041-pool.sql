-- SPDX-License-Identifier: Apache-2.0
-- Pools with holes; blocks go from who can spare one to who is short.
select plan(46);
delete from pool where family(range) = 4;
create function pg_temp.lent() returns text language sql as
  $$ select string_agg(range::text, ' ' order by range) from block $$;
select throws_ok($$select pool_add(pg_temp.h('op'), '198.51.100.0/29', 28, '')$$, 'VE017',
  'the pool 198.51.100.0/29 is smaller than one block of /28: take a longer block length or a larger range', 'a pool smaller than one block');
select throws_ok($$select pool_add(pg_temp.h('op'), '198.51.100.0/28', 30, '192.0.2.1')$$, 'VE017',
  'the exclusion 192.0.2.1/32 is not a part of the pool 198.51.100.0/28', 'an exclusion elsewhere');
select throws_ok($$select pool_add(pg_temp.h('op'), '198.51.100.0/28', 30, 'router')$$, 'VE017', null, 'an exclusion that is no range');
select throws_ok($$select pool_add(pg_temp.h('ann'), '198.51.100.0/28', 30, '')$$, 'VE011', null, 'subscribers add none');
select lives_ok($$select pool_add(pg_temp.h('op'), '198.51.100.0/28', 30, '198.51.100.1, 198.51.100.8/30')$$, 'a pool with holes');
select throws_ok($$select pool_add(pg_temp.h('op'), '198.51.100.8/29', 30, '')$$, 'VE016',
  'the range 198.51.100.8/29 overlaps with the pool 198.51.100.0/28', 'overlaps say with what');
select lives_ok($$select block_lend('n1') from generate_series(1, 20)$$, 'all of it is lent');
select is(pg_temp.lent(), '198.51.100.0/32 198.51.100.2/31 198.51.100.4/30 198.51.100.12/30', 'but for the holes');
delete from block; delete from pool;
select pool_add(pg_temp.h('op'), '198.51.100.0/28', 29, '');
select node_install('n2', 'https://127.0.0.1:7444', repeat('cd', 32), 2);
select block_lend('n1'); select block_lend('n1');
select is(block_spare('n1'), null, 'who is asked by nobody gives nothing');
select is(block_sync('n2'), '[]', 'another node finds nothing');
select is(block_spare('n1'), null, 'n1 has only just got what it has');
update block set term = tstzrange(lower(term) - interval '1 h', upper(term));
update ve set waiting = 1;
select is(block_spare('n1'), null, 'who needs one itself gives none');
update ve set waiting = null;
select isnt(block_spare('n1'), null, 'then n1 can spare a block');
insert into lease (address, veid, node_id, block_id, epoch, during)
  select host(network(range))::inet, 1000, 'n1', id, 1, tstzrange(now() - interval '1 h', null) from block order by id desc limit 1;
select is((select range::text from block where id = (block_spare('n1') #>> '{}')::bigint), '198.51.100.0/29', 'one that nobody uses');
insert into lease (address, veid, node_id, block_id, epoch, during)
  select '198.51.100.1', 1001, 'n1', min(id), 2, tstzrange(now() - interval '1 h', now() - interval '1 minute') from block;
select is(block_spare('n1'), null, 'nor used lately');
update lease set during = tstzrange(lower(during), now() - interval '10 minutes') where veid = 1001;
select block_return((block_spare('n1') #>> '{}')::bigint);
select is(block_sync('n2'), '[]', 'what was given back is in quarantine');
select is((select count(*)::int from block where upper(term) <= now() + interval '60 s'), 1, 'of a minute');
update block set term = tstzrange(lower(term) - interval '1 h', now()) where upper(term) <= now() + interval '60 s';
update block set range = set_masklen(range, 32) where node_id = 'n1' and upper(term) > now();
update ve set node_id = 'n2', waiting = 1;
select is(jsonb_array_length(block_sync('n1')), 1, 'who only runs low leaves it to where somebody waits');
update block set range = set_masklen(range, 29) where node_id = 'n1' and upper(term) > now();
select is(block_renew((block_sync('n2') ->> 0)::bigint) ->> 'range', '198.51.100.0/29', 'then it is the other''s');
update ve set node_id = 'n1', waiting = null;
select is((select short_at from node where id = 'n2'), null, 'who is short no more');
select is(block_spare('n1'), null, 'and n1 keeps its last');
-- whose place in a node's own line is heard of
select is(block_report((select max(id) from block where node_id = 'n2'), 'x',
  '[{"address":"198.51.100.9","veid":100,"epoch":9,"since":"2026-01-01T00:00:00Z"}]', '[]'), '1', 'an address of another node''s block is an alarm');
select is(block_report((select max(id) from block where node_id = 'n2'), 'x',
  '[{"address":"192.0.2.77","veid":100,"epoch":10,"since":"2026-01-01T00:00:00Z"}]', '[]'), '1', 'so is one of no pool');
select is((select count(*)::int from audit where action = 'lease.alarm'), 2, 'both in the audit log');
-- Clocks: what goes by is told by the job daemon's machine
set client_min_messages = error;
delete from lease;
delete from block where id <> (select min(id) from block where node_id = 'n1');
create function pg_temp.sync(node text, boot text, ms bigint) returns text language sql as
  $$ select block_sync(node, boot, ms)::text $$;
create function pg_temp.left() returns interval language sql as
  $$ select upper(term) - now() from block where node_id = 'n1' $$;
-- the clock goes forward by so much: all that was written is of so long ago
create function pg_temp.step(by interval) returns void language sql as $$
  update block set term = tstzrange(lower(term) - by, upper(term) - by);
  update clock set base = base - by, at = at - by $$;
update block set term = tstzrange(now() - interval '1 h', now() + interval '110 s');
update pool set range = '198.51.100.0/29', block_len = 29;
update block set range = '198.51.100.0/29';
select is(pg_temp.sync('n2', 'machine-1', 1000000), '[]', 'n1 has all there is');
select is(pg_temp.left(), '110 s', 'for a while');
select pg_temp.step('1 h');
select is(pg_temp.sync('n2', 'machine-1', 1000000 + 4000), '[]', 'the clock goes forward by an hour: n2 is lent nothing');
select is(pg_temp.left(), '120 s', 'until the term must be over, whatever is left of it');
select is(pg_temp.sync('n2', 'machine-1', 1000000 + 4000), '[]', 'nor does it get it by asking again');
select isnt(block_renew((select id from block where node_id = 'n1')), null, 'n1 goes on with it');
select pg_temp.step('3 s');
select is(pg_temp.sync('n2', 'machine-1', 1000000 + 4000), '[]', 'a clock that was put right a little');
select is(pg_temp.left(), '117 s', 'changes nothing');
select pg_temp.step('117 s');
select isnt(pg_temp.sync('n1', 'machine-2', 50), '[]', 'a machine that nobody knows cannot tell');
select is(pg_temp.left(), '120 s', 'what ran when one was heard last is kept');
select pg_temp.step('2 min');
update clock set base = now() - interval '1007 s' where boot = 'machine-1'; -- it was no step: that time went by
select isnt(pg_temp.sync('n2', 'machine-1', 1000000 + 4000 + 3000), '[]', 'what is over is lent');
select is(pg_temp.left(), '0', 'and what was not renewed is over');
-- and back
update block set term = tstzrange(lower(term) + interval '1 h', upper(term) + interval '1 h') where node_id = 'n2';
select isnt(block_renew((select id from block where node_id = 'n2')), null, 'the clock goes back by an hour: what is lent can be renewed');
select is((select upper(term) - now() from block where node_id = 'n2'), '1 h 2 min', 'and stays lent');
set client_min_messages = warning;
-- an IPv6 pool with holes
create function pg_temp.at(n integer) returns text language sql as
  $$ select host('fd00:88::'::inet + (currval('veid_seq') + n)) $$;
delete from pool where family(range) = 6;
update node set capacity = placed + 10, seen_at = now() where id = 'n1';
select throws_ok($$select pool_add(pg_temp.h('op'), 'fd00:88::/64', null, 'fd00:88::/80')$$, 'VE017', null, 'an exclusion of all that is ever given');
select throws_ok($$select pool_add(pg_temp.h('op'), 'fd00:88::/64', null, 'fd00:88::4000:0/111')$$, 'VE017', null, 'or of a large part of it');
select lives_ok($$select pool_add(pg_temp.h('op'), 'fd00:88::/64', null, 'fd00:88:0:0:8000::/65 ' || pg_temp.at(1) || ' ' || pg_temp.at(2) || ' ' || pg_temp.at(4))$$,
  'smaller ones, and any of what is never given');
create temp table want as select pg_temp.at(3) as one, pg_temp.at(5) as two;
select pg_temp.signup('bob', 'bob');
select is((select host(ipv6) from ve where veid = pg_temp.veid('bob')), (select one from want), 'the first after the hole');
select is((select hostname from ve where veid = pg_temp.veid('bob')), 've' || pg_temp.veid('bob'), 'is of the VE''s number');
select pg_temp.signup('cat', 'cat');
select is((select host(ipv6) from ve where veid = pg_temp.veid('cat')), (select two from want), 'and past the next');
update pool set excluded = '{fd00:88::/112}' where family(range) = 6;
select pg_temp.signup('dan', 'dan');
select is((select host(ipv6) from ve where veid = pg_temp.veid('dan')), 'fd00:88::1:0', 'a long one too');
update pool set excluded = '{fd00:88::/80}' where family(range) = 6;
select is(pg_temp.signup('eve', 'eve') -> 'veid', 'null', 'there is an end to it');
