-- SPDX-License-Identifier: Apache-2.0
-- The line: networks take turns, within one whoever came first, who leaves frees the place.
select plan(39);
create function pg_temp.come(who text, address text) returns jsonb language sql as
  $$ select account_signup(who || '@example.net', pg_temp.pw(), 'tiny', address::inet, pg_temp.h(who)) $$;
create function pg_temp.line() returns text language sql as $$
  select string_agg(split_part(s.email, '@', 1), ' ' order by o.place)
    from queue_order o join subscriber s on s.id = o.subscriber_id $$;
create function pg_temp.free(n integer) returns void language sql as
  $$ update node set capacity = placed + n $$;
select pg_temp.free(0);
select is(pg_temp.come('a1', '192.0.2.1') -> 'veid', 'null', 'when all places are taken there is no VE');
select is(pg_temp.come('a2', '192.0.2.2') #>> '{queue,place}', '2', 'but a place in the line');
select pg_temp.come('a3', '192.0.2.200');
select pg_temp.come('b1', '198.51.100.1');
select pg_temp.come('c1', '2001:db8:1:2::1');
select pg_temp.come('c2', '2001:db8:1:2:ffff::1');
select pg_temp.come('d1', '2001:db8:1:3::1');
select is(pg_temp.line(), 'a1 b1 c1 d1 a2 c2 a3', 'one of each /24 and /64, then a second one of each');
select is(home_get(pg_temp.h('b1')) #>> '{queue,place}', '2', 'each sees the own place');
select is(home_get(pg_temp.h('b1')) #>> '{queue,of}', '7', 'and how many wait');
select is(home_get(pg_temp.h('b1')) #>> '{queue,minutes}', null, 'nobody knows yet how long it takes');
select is(home_get(pg_temp.h('ann')) ->> 'queue', null, 'who has a VE is in no line');
create temp table rows as select id, ctid as at from queue;
select is(queue_run(), '0', 'nothing is free, nobody is served');
select is((select count(*)::int from queue q join rows r on r.id = q.id and r.at = q.ctid), 7, 'nobody''s row is touched');
select is(pg_temp.line(), 'a1 b1 c1 d1 a2 c2 a3', 'and the line is as it was');
select pg_temp.free(2);
select is(pg_temp.come('e1', '203.0.113.1') #>> '{queue,place}', '5', 'a newcomer does not pass those who wait');
select is(queue_run(), '2', 'two places, two are served');
select is(pg_temp.line(), 'c1 d1 e1 a2 c2 a3', 'those whose turn it was');
select ok((select count(*) = 1 from ve join subscriber s on s.id = subscriber_id where s.email = 'a1@example.net'), 'they have a VE');
select is((select count(*)::int from mail where recipient = 'a1@example.net' and subject = 'Your environment is ready'), 1, 'and a letter');
select ok((home_get(pg_temp.h('c1')) #>> '{queue,minutes}')::int >= 1, 'the others an estimate');
select is(queue_leave(pg_temp.h('d1')), '{"left": true}', 'one leaves');
select is(pg_temp.line(), 'c1 e1 a2 c2 a3', 'and the others move up');
select throws_ok($$select queue_leave(pg_temp.h('d1'))$$, 'VE014', null, 'once');
select is(ve_create(pg_temp.h('d1'), 'tiny', '2001:db8:1:3::1') #>> '{queue,place}', '3', 'who comes back is the last of the turn');
select throws_ok($$select ve_create(pg_temp.h('d1'), 'tiny', '192.0.2.9')$$, 'VE009', null, 'nobody waits twice');
select throws_ok($$select ve_create(pg_temp.h('ann'), 'tiny', '192.0.2.9')$$, 'VE009', null, 'nor with a VE');
select subscriber_suspend(pg_temp.h('op'), pg_temp.sub('c1'), 'mining');
select is(pg_temp.line(), 'c2 e1 d1 a2 a3', 'a suspended person is passed over');
select pg_temp.free(1);
select is(queue_run(), '1', 'one more place');
select is(pg_temp.line(), 'e1 d1 a2 a3', 'goes to the next');
select pg_temp.free(100);
select is(queue_run(), '4', 'when there is room all are served');
select is(pg_temp.line(), null, 'and the line is empty');
select isnt(pg_temp.come('f1', '192.0.2.1') -> 'veid', 'null', 'the next comes in at once');
-- who cannot be served by now leaves the line, and holds nobody up
select pg_temp.free(0);
select account_signup('g1@example.net', pg_temp.pw(), 'debian', '192.0.2.1', pg_temp.h('g1'));
select pg_temp.come('g2', '192.0.2.2');
select pg_temp.come('g3', '192.0.2.3');
select pg_temp.come('g4', '192.0.2.4');
insert into ve (subscriber_id, node_id, template, plan, hostname, expires_at)
  values (pg_temp.sub('g3'), 'n1', 'tiny', 'trial', 'g3', now() + interval '1 day');
update template set enabled = false where name = 'debian';
select is(queue_run(), '0', 'nothing is free');
select is(pg_temp.line(), 'g2 g3 g4', 'the template of the first was withdrawn: no waiting for that');
select is((select body from mail where recipient = 'g1@example.net' and subject = 'You are no longer in the line'),
  E'Hello,\n\nit was your turn, but there is no such template. Log in to see what you have, or to choose anew.\n', 'a letter says so');
select is((select detail ->> 'why' from audit where action = 'queue.drop' and subscriber_id = pg_temp.sub('g1')),
  'there is no such template', 'and the audit log');
select pg_temp.free(2);
select is(queue_run(), '2', 'two places');
select is(pg_temp.line(), null, 'go to those behind');
select isnt(pg_temp.veid('g2'), null, 'one');
select isnt(pg_temp.veid('g4'), null, 'and the other, past who has an environment already');
select is((select count(*)::int from ve where subscriber_id = pg_temp.sub('g3')), 1, 'who keeps the one');
select is((select count(*)::int from audit where action = 'queue.drop'), 2, 'and was told once');
select is(audit_verify(), null, 'all of it in a whole audit chain');
