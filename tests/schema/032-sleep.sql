-- SPDX-License-Identifier: Apache-2.0
-- Sleep, its steps, and names.
select plan(60);
create function pg_temp.see(status text) returns void language sql as $$
  select ve_observe('n1', jsonb_build_array(jsonb_build_object('veid', pg_temp.veid('ann'),
    'status', status::jsonb || '{"observed_generation": 1}')), false) $$;
select is((job_claim('n1', 30) #>> '{spec,idle,idle_after_s}'), '900', 'a node hears how long a VE may do nothing');
update job set state = 'done', finished_at = now();
select is((select job_take('n1', 30, false) #>> '{spec,network}' from (select job_add(pg_temp.veid('ann'), 'apply')) x), '192.0.2.0/24', 'and where its subscriber came from');
update job set state = 'done', finished_at = now() where state = 'running';
select pg_temp.see('{"state":"running","activity":"CPU in use","idle_at":"2026-11-24T12:00:00Z","waiting":3,"waiting_s":61}');
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'activity', 'CPU in use', 'what keeps it awake is on record');
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'idle_at', '2026-11-24T12:00:00.000Z', 'until when');
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'waiting', '3', 'and its place in the line for an address');
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'waiting_minutes', '2', 'with an estimate');
select is(ve_visit(pg_temp.h('ann'), pg_temp.veid('ann')), 'false', 'a visit to who is awake changes nothing');
create function pg_temp.rests(within text) returns void language sql as $$
  select pg_temp.see(jsonb_build_object('state', 'running', 'activity', 'a visit', 'idle_at', now() + within::interval)::text) $$;
select pg_temp.rests('9 minutes');
select is(ladder_run(), '0', 'two minutes ahead is too late for a letter');
update plan set warn = '10 minutes' where name = 'trial';
select is(ladder_run(), '1', 'ten are not');
select matches((select subject from mail order by id desc limit 1), 'goes to sleep soon$', 'which says what is ahead');
select pg_temp.rests('9 minutes');
select is(ladder_run(), '0', 'and comes once');
select pg_temp.rests('15 minutes');
select pg_temp.rests('8 minutes');
select is(ladder_run(), '1', 'for each rest');
update plan set warn = '2 minutes' where name = 'trial';
select ve_act(pg_temp.h('ann'), pg_temp.veid('ann'), 'idle');
select terminal_grant(pg_temp.h('ann'), pg_temp.veid('ann'), 'tty');
select is((select string_agg(state::text, ' ') from job where kind = 'idle'), 'superseded', 'who comes in takes back a sleep that has not begun');
select ve_act(pg_temp.h('ann'), pg_temp.veid('ann'), 'idle');
select is(job_claim('n1', 30) ->> 'kind', 'idle', 'one that a node has heard of');
select terminal_grant(pg_temp.h('ann'), pg_temp.veid('ann'), 'tty');
select is((select string_agg(state::text, ' ' order by id) from job where kind = 'idle'), 'superseded running', 'is not taken back');
update job set state = 'done', finished_at = now() where state = 'running';
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
select is(ve_rename(pg_temp.h('ann'), pg_temp.veid('ann'), 'annes-box', 8080) ->> 'hostname', 'annes-box', 'a VE is renamed');
select pg_temp.signup('bob', 'bob');
select throws_ok(format('select ve_rename(pg_temp.h(''bob''), %s, ''annes-box'', null)', pg_temp.veid('bob')), 'VE025', 'the name annes-box is taken', 'a name is one VE''s');
select throws_ok(format('select ve_rename(pg_temp.h(''bob''), %s, ''www'', null)', pg_temp.veid('bob')), 'VE024', 'the name www is reserved', 'some are nobody''s');
select throws_ok(format('select ve_rename(pg_temp.h(''bob''), %s, ''ve7'', null)', pg_temp.veid('bob')), 'VE024', null, 'some are somebody else''s');
select throws_ok(format('select ve_rename(pg_temp.h(''bob''), %s, ''xn--bcher-kva'', null)', pg_temp.veid('bob')), 'VE017', null, 'none looks like another');
select throws_ok(format('select ve_rename(pg_temp.h(''bob''), %s, ''mine'', null)', pg_temp.veid('ann')), 'VE005', null, 'nobody renames a foreign one');
select is((select port from ve where hostname = 'annes-box'), 8080, 'with a port');
select throws_ok(format('select ve_rename(pg_temp.h(''ann''), %s, ''annes-box'', 65536)', pg_temp.veid('ann')), 'VE017', 'a port is a number from 1 to 65535', 'that is one');
select throws_ok($$select port_grant('annes-box', '192.0.2.1')$$, 'VE020', null, 'one that is stopped opens nothing');
update ve set desired = 'running', state = 'frozen';
select is(convert_from(decode(translate(split_part(port_grant('annes-box', '192.0.2.1') ->> 'grant', '.', 1), '-_', '+/') ||
  repeat('=', (4 - length(split_part(port_grant('annes-box', '192.0.2.1') ->> 'grant', '.', 1)) % 4) % 4), 'base64'), 'UTF8')::jsonb - 'exp' - 'nonce',
  jsonb_build_object('v', 1, 'veid', pg_temp.veid('ann'), 'node', 'n1', 'kind', 'port', 'port', 8080, 'sub', 'v:192.0.2.0/24'), 'one that sleeps is opened at its port');
select throws_ok($$select port_grant('nobody', '192.0.2.1')$$, 'VE005', null, 'a name of nobody is nobody''s');
update rate_rule set most = 1 where kind = 'wake';
select throws_ok($$select port_grant('annes-box', '192.0.2.77')$$, 'VE003', null, 'one network does not wake all');

-- the last step, and the key against each
create function pg_temp.keep(letter text, token text) returns jsonb language plpgsql as $$ begin
  perform keep_link((select id from mail where subject like letter order by id desc limit 1), pg_temp.h(token));
  return keep_take(pg_temp.h(token));
end $$;
update ve set desired = 'stopped', stopped_at = null where veid = pg_temp.veid('ann');
update job set state = 'done', finished_at = now() where state in ('queued', 'running');
select pg_temp.see('{"state":"stopped"}');
select ok((ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'archive_at')::timestamptz
  between now() + interval '71 hours' and now() + interval '73 hours', 'one that is stopped will be packed away');
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'soon', null, 'which is not soon');
update ve set stopped_at = now() - interval '60 hours' where veid = pg_temp.veid('ann');
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) #>> '{soon,what}', 'archive', 'within a day it is');
select is(ladder_run(), '1', 'and a letter says so');
select is(ladder_run(), '0', 'once');
select matches((select body from mail where keeps is not null order by id desc limit 1), '\{link\}', 'with a link');
select is(pg_temp.keep('%packed away soon', 'k1') ->> 'veid', pg_temp.veid('ann')::text, 'a press on it puts that off');
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'soon', null, 'to a day that is far away');
select is(pg_temp.work(), 'stay', 'on the node too');
select throws_ok($$select keep_take(pg_temp.h('k1'))$$, 'VE021', null, 'a link is good once');
select throws_ok($$select keep_take(pg_temp.h('no link'))$$, 'VE021', null, 'and only if it was sent');
select pg_temp.see('{"state":"archived"}');
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'state', 'archived', 'in the end it is packed away');
update ve set desired = 'running' where veid = pg_temp.veid('ann');
select is(ve_visit(pg_temp.h('ann'), pg_temp.veid('ann')), 'true', 'and a visit brings it back');

-- a press while something is under way
update job set state = 'done', finished_at = now() where state in ('queued', 'running');
select pg_temp.see('{"state":"frozen"}');
select ve_plan(pg_temp.h('op'), pg_temp.veid('ann'), 'confirmed');
select is((select kind::text from job where state = 'queued' and veid = pg_temp.veid('ann')), 'apply', 'a change is on its way');
select ve_keep(pg_temp.h('ann'), pg_temp.veid('ann'));
select is(pg_temp.work(), 'stay', 'a press goes before it');
update job set finished_at = now() - interval '1 minute';
select ve_observe('n1', jsonb_build_array(jsonb_build_object('veid', pg_temp.veid('ann'), 'status',
  jsonb_build_object('state', 'running', 'observed_generation', 1))), true);
select is(job_claim('n1', 30) ->> 'kind', 'apply', 'which comes again');
update job set state = 'done', finished_at = now() where state in ('queued', 'running');
select ve_act(pg_temp.h('ann'), pg_temp.veid('ann'), 'idle');
select ve_keep(pg_temp.h('ann'), pg_temp.veid('ann'));
select is(pg_temp.work(), 'stay', 'and takes back a sleep');
select ve_act(pg_temp.h('ann'), pg_temp.veid('ann'), 'restart');
select ve_keep(pg_temp.h('ann'), pg_temp.veid('ann'));
select is(pg_temp.work(), 'restart', 'but no other wish');
