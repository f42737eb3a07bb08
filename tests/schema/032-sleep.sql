-- SPDX-License-Identifier: Apache-2.0
-- Sleep, its steps, and names.
select plan(26);
create function pg_temp.see(status text) returns void language sql as $$
  select ve_observe('n1', jsonb_build_array(jsonb_build_object('veid', pg_temp.veid('ann'),
    'status', status::jsonb || '{"observed_generation": 1}')), false) $$;
select is((job_claim('n1', 30) #>> '{spec,idle,idle_after_s}'), '900', 'a node hears how long a VE may do nothing');
update job set state = 'done', finished_at = now();
select pg_temp.see('{"state":"running","activity":"CPU in use","idle_at":"2026-11-24T12:00:00Z","waiting":3}');
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'activity', 'CPU in use', 'what keeps it awake is on record');
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'idle_at', '2026-11-24T12:00:00.000Z', 'until when');
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'waiting', '3', 'and its place in the line for an address');
select is(ve_visit(pg_temp.h('ann'), pg_temp.veid('ann')), 'false', 'a visit to who is awake changes nothing');
select is(ve_act(pg_temp.h('ann'), pg_temp.veid('ann'), 'stay') ->> 'action', 'stay', 'a key keeps it awake');
select is((select generation from ve), 1, 'without a new generation');
select is(pg_temp.work(), 'stay', 'by a job');
select pg_temp.see('{"state":"frozen"}');
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'state', 'frozen', 'it sleeps');
select ok((ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'stop_at')::timestamptz
  between now() + interval '23 hours' and now() + interval '25 hours', 'and will be stopped in a day');
select is(ladder_run(), '0', 'nobody is warned yet');
update ve set frozen_at = now() - interval '13 hours';
select is(ladder_run(), '1', 'half a day before somebody is');
select is(ladder_run(), '0', 'once');
select is((select count(*)::int from mail where subject like '%is stopped soon'), 1, 'by a letter');
select is(ve_visit(pg_temp.h('ann'), pg_temp.veid('ann')), 'true', 'a visit wakes it');
select is(ve_visit(pg_temp.h('ann'), pg_temp.veid('ann')), 'false', 'one job for many visits');
select is(pg_temp.work(), 'wake', 'which the node gets');
select pg_temp.see('{"state":"running"}');
select is((select frozen_warned from ve), false, 'next time there is a warning again');
select ve_act(pg_temp.h('ann'), pg_temp.veid('ann'), 'stop'); select pg_temp.work();
select pg_temp.see('{"state":"stopped"}');
select is(ve_visit(pg_temp.h('ann'), pg_temp.veid('ann')), 'false', 'who was stopped by hand is not woken by a page');
select throws_ok(format('select ve_act(pg_temp.h(''ann''), %s, ''stay'')', pg_temp.veid('ann')), 'VE020', null, 'nor kept awake');
select is(ve_rename(pg_temp.h('ann'), pg_temp.veid('ann'), 'annes-box') ->> 'hostname', 'annes-box', 'a VE is renamed');
select pg_temp.signup('bob', 'bob');
select throws_ok(format('select ve_rename(pg_temp.h(''bob''), %s, ''annes-box'')', pg_temp.veid('bob')), 'VE025', 'the name annes-box is taken', 'a name is one VE''s');
select throws_ok(format('select ve_rename(pg_temp.h(''bob''), %s, ''www'')', pg_temp.veid('bob')), 'VE024', 'the name www is reserved', 'some are nobody''s');
select throws_ok(format('select ve_rename(pg_temp.h(''bob''), %s, ''ve7'')', pg_temp.veid('bob')), 'VE024', null, 'some are somebody else''s');
select throws_ok(format('select ve_rename(pg_temp.h(''bob''), %s, ''xn--bcher-kva'')', pg_temp.veid('bob')), 'VE017', null, 'none looks like another');
select throws_ok(format('select ve_rename(pg_temp.h(''bob''), %s, ''mine'')', pg_temp.veid('ann')), 'VE005', null, 'nobody renames a foreign one');
