-- SPDX-License-Identifier: Apache-2.0
-- One live job a VE; a claim runs out; what is over stays over.
select plan(29);
select throws_ok(format('select ve_act(pg_temp.h(''ann''), %s, ''stop'')', pg_temp.veid('ann')), 'VE006', null,
  'a second job has to wait');
select is(job_claim('n2', 30), null, 'another node has nothing to do');
create temp table j as select job_claim('n1', 30) as j;
select is((select j ->> 'kind' from j), 'create', 'a job is claimed');
select is((select j #>> '{spec,limits,memory_bytes}' from j), '134217728', 'with all that the node must know');
select is(job_claim('n1', 30), null, 'by one only');
update job set locked_until = now() - interval '1 s';
select is(job_claim('n1', 30) ->> 'attempt', '2', 'a claim that ran out is free again');
select is(job_finish((select (j ->> 'id')::bigint from j), 1, null), 'false', 'the late first one is not heard');
select is(job_keep((select (j ->> 'id')::bigint from j), 2, 30, 'booting'), 'true', 'the second keeps it');
select is(job_again((select (j ->> 'id')::bigint from j), 2, 0, 'no answer'), 'true', 'gives it back');
select is(pg_temp.work(), 'create', 'and it is done at last');
select throws_ok('update job set state = ''queued''', 'VE017', null, 'what is done stays done');
select lives_ok(format('select ve_act(pg_temp.h(''ann''), %s, ''stop'')', pg_temp.veid('ann')), 'then comes the next');
select is((select desired::text from ve), 'stopped', 'which sets what is desired');
select pg_temp.work('disk full');
select is((select state_error from ve), 'disk full', 'a failure is told');
select throws_ok(format('select ve_act(pg_temp.h(''ann''), %s, ''dance'')', pg_temp.veid('ann')), 'VE017', null, 'unknown actions are refused');
select pg_temp.signup('bob', 'bob');
select throws_ok(format('select ve_act(pg_temp.h(''bob''), %s, ''stop'')', pg_temp.veid('ann')), 'VE005', null,
  'nobody acts on another''s VE');
select pg_temp.work();
select ve_act(pg_temp.h('bob'), pg_temp.veid('bob'), 'restart');
select is(job_claim_urgent('n1', 30), null, 'who takes only suspensions passes by');
select subscriber_suspend(pg_temp.h('op'), pg_temp.sub('bob'), 'x');
select is(job_claim_urgent('n1', 30) ->> 'kind', 'suspend', 'and takes one');
update job set locked_until = now() - interval '1 s' where state = 'running';
select is(pg_temp.work(), 'suspend', 'which is free again like any');
select subscriber_unsuspend(pg_temp.h('op'), pg_temp.sub('bob'));
select pg_temp.work();
select account_login(pg_temp.sub('bob'), '192.0.2.1', pg_temp.h('bob2'));
select ve_act(pg_temp.h('ann'), pg_temp.veid('ann'), 'delete');
select is(pg_temp.work(), 'delete', 'a VE is deleted');
select is((select placed from node), 1, 'and its place is free');
select is(pg_temp.veid('ann'), null, 'ann has none');
select lives_ok($$select ve_create(pg_temp.h('ann'), 'debian', '192.0.2.7')$$, 'and takes another');
select throws_ok($$select ve_create(pg_temp.h('bob2'), 'debian', '192.0.2.7')$$, 'VE009', null, 'one a person, full or not');
update node set capacity = 9;
select throws_ok($$select ve_create(pg_temp.h('bob2'), 'debian', '192.0.2.7')$$, 'VE009', null, 'one a person');
select isnt(pg_temp.veid('ann'), 1000, 'with a number that was never used');
-- a mass suspension leaves workers for others
update node set capacity = 100;
update rate_rule set most = 1000;
select pg_temp.signup('c' || i, 'c' || i) from generate_series(1, 7) i;
select pg_temp.work() from generate_series(1, 9);
select subscriber_suspend(pg_temp.h('op'), pg_temp.sub('c' || i), 'x') from generate_series(1, 6) i;
select ve_act(pg_temp.h('c7'), pg_temp.veid('c7'), 'restart');
select is((select string_agg(job_claim('n1', 30) ->> 'kind', ' ') from generate_series(1, 6)),
  'suspend suspend suspend suspend restart', 'of suspensions four are under way, and others go on');
select is(job_claim_urgent('n1', 30) ->> 'kind', 'suspend', 'but for who takes only those');
select is(job_claim('n1', 30), null, 'the last one waits');
