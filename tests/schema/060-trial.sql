-- SPDX-License-Identifier: Apache-2.0
-- A trial warns, ends, and is extended; after the grace it is gone.
select plan(14);
select pg_temp.work();
select is(trial_run(), '0', 'a fresh trial is left alone');
update ve set expires_at = now() + interval '2 hours';
select is(trial_run(), '1', 'a day before its end');
select is((select count(*)::int from mail where subject like '%stops in a day'), 1, 'a letter goes out');
select is(trial_run(), '0', 'once');
select keep_link((select max(id) from mail), pg_temp.h('k'));
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) #>> '{soon,what}', 'end', 'the page says it too');
select lives_ok($$select keep_take(pg_temp.h('k'))$$, 'a press on the link in it');
select ok((select expires_at > now() + interval '6 days' and warned_at is null from ve), 'and the trial starts again');
update ve set expires_at = now() - interval '1 s';
select trial_run();
select is(pg_temp.work(), 'stop', 'at its end it is stopped');
select throws_ok(format('select ve_act(pg_temp.h(''ann''), %s, ''start'')', pg_temp.veid('ann')), 'VE008', null, 'and does not start');
select throws_ok(format('select terminal_grant(pg_temp.h(''ann''), %s, ''tty'')', pg_temp.veid('ann')), 'VE008', null, 'nor opens');
select ve_extend(pg_temp.h('ann'), pg_temp.veid('ann'));
select lives_ok(format('select ve_act(pg_temp.h(''ann''), %s, ''start'')', pg_temp.veid('ann')), 'until it is extended');
update ve set expires_at = now() - interval '8 days';
select trial_run();
select is((select desired::text from ve), 'deleted', 'after the grace it is deleted');
select is(pg_temp.work(), 'delete', 'by a job that went before the start');
select is((select placed from node), 0, 'and its place is free');
