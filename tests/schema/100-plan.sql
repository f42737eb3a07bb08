-- SPDX-License-Identifier: Apache-2.0
-- Plans: three to begin with, read from forms, changed under VEs that run; what is used and refused.
select plan(70);
create function pg_temp.spec() returns jsonb language sql as $$ select job_claim('n1', 30) -> 'spec' $$;
create function pg_temp.save(name text, form jsonb, make boolean default false) returns jsonb language sql as
  $$ select plan_save(pg_temp.h('op'), name, form, make) $$;
select is((select string_agg(name, ' ' order by memory_bytes) from plan), 'trial confirmed large', 'a fresh, a confirmed and a bigger plan are there');
select is((select plan from ve), 'trial', 'who is new has the first');
create temp table s as select pg_temp.spec() as s;
select is((select s #>> '{limits,numfile,barrier}' from s), '4096', 'its node hears of each row');
select is((select s #>> '{limits,kmemsize,limit}' from s), '75497472', 'barrier and limit');
select is((select s #>> '{limits,numiptent}' from s), null, 'and of none that has no bound');
select is((select s #>> '{cpu,weight}' from s), '100', 'of the CPU');
select is((select s #>> '{bandwidth,up,ceil}' from s), '2097152', 'of bandwidth');
select is((select s #>> '{flows,burst}' from s), '200', 'of flows');
select is((select s #>> '{idle,archive_after_s}' from s), '259200', 'of the last step');
select is((select s #>> '{idle,lease_max_s}' from s), '3600', 'of the longest time with an address');
select is((select s #>> '{idle,busy_permille}' from s), '20', 'of what is work');
select is((select s ->> 'egress' from s), 'false', 'of the way out of the node, which who is fresh has not');
select is((select s ? 'io_weight' from s), false, 'and of the disk only when it is bound');
update job set state = 'done', finished_at = now();

-- who may
select throws_ok($$select plan_list(pg_temp.h('ann'))$$, 'VE011', null, 'plans are for operators');
select throws_ok($$select plan_save(pg_temp.h('ann'), 'mine', '{}', true)$$, 'VE011', null, 'to make');
select throws_ok(format('select ve_plan(pg_temp.h(''ann''), %s, ''large'')', pg_temp.veid('ann')), 'VE011', null, 'and to give');
select is(jsonb_array_length(plan_list(pg_temp.h('op'))), 3, 'who see them');

-- amounts
select is(amount_read('128M', 'bytes'), 134217728::bigint, 'an amount is bytes');
select is(amount_read('128m', 'pages'), 32768::bigint, 'or so many pages');
select is(amount_read('77', 'pages'), 77::bigint, 'without a letter a number');
select is(amount_read('1K', 'count'), null, 'what is counted has no letter');
select is(amount_write(32768, 'pages') || ' ' || amount_write(3, 'bytes') || ' ' || amount_write(1024, 'count'), '128M 3 1024', 'they are written as they are read');
select is(span('15 minutes') || ', ' || span('7 days'), '15 mins, 7 days', 'times too');
select is(amount_read('-1', 'count'), null, 'nor a sign');
select is(amount_show(9223372036854775807, 'pages'), null, 'no bound is none to show');
select is(amount_show(32768, 'pages'), '128 MiB', 'pages are shown as memory');
select is(amount_show(1536, 'bytes'), '1.5 KiB', 'bytes too');

-- make
select is(pg_temp.save('tiny', '{"memory": "32M", "processes": "16", "numfile": "100:120", "numtcpsock": "", "egress": "yes"}', true) ->> 'name',
  'tiny', 'a plan is made');
select is((select memory_bytes from plan where name = 'tiny'), 33554432::bigint, 'with what was said');
select is((select disk_bytes from plan where name = 'tiny'), 1073741824::bigint, 'and the trial''s where nothing was');
select is((select barrier || ':' || "limit" from plan_bean where plan = 'tiny' and bean = 'numfile'), '100:120', 'its rows');
select is((select count(*)::int from plan_bean where plan = 'tiny' and bean = 'numtcpsock'), 0, 'an empty one is no bound');
select throws_ok($$select pg_temp.save('tiny', '{}', true)$$, 'VE028', 'there is a plan tiny already', 'a name is used once');
select throws_ok($$select pg_temp.save('none', '{}')$$, 'VE014', 'there is no plan none', 'what is not there is not changed');
select is(pg_temp.save('tiny', '{"archive_after": "2 days", "lease_max": "10 minutes"}') ->> 'archive_after', '2 days', 'times too');
select throws_ok($$select pg_temp.save('tiny', '{"memory": "much"}')$$, 'VE017', 'memory is not an amount, such as 64 or 128M', 'what is no amount is said');
select throws_ok($$select pg_temp.save('tiny', '{"numproc": "64:x"}')$$, 'VE017', 'numproc is not an amount, such as 64, 64:80 or 128M', 'in a row too');
select throws_ok($$select pg_temp.save('tiny', '{"numproc": "80:64"}')$$, 'VE017', 'numproc: the barrier 80 is above the limit 64', 'a barrier above its limit');
select throws_ok($$select pg_temp.save('tiny', '{"idle_after": "soon"}')$$, 'VE017', 'idle after is not a time, such as 15 minutes or 7 days', 'what is no time');
select is(pg_temp.save('tiny', '{"busy": "50"}') #>> '{form,busy}', '50', 'what is work is told in thousandths');
select throws_ok($$select pg_temp.save('tiny', '{"busy": "1001"}')$$, '23514', null, 'of which there are no more than a thousand');
select throws_ok($$select pg_temp.save('tiny', '{"memory": "1M"}')$$, '23514', null, 'nobody lives in a megabyte');
select throws_ok($$select pg_temp.save('tiny', '{"up_rate": "2M", "up_ceil": "1M"}')$$, '23514', null, 'a ceiling is not below its rate');
select throws_ok($$select pg_temp.save('Bad Name', '{}', true)$$, '23514', null, 'a name is a word');

-- change
update ve set state = 'running', state_generation = 1;
select is(pg_temp.save('trial', '{"numproc": "64:80"}') #>> '{limits,numproc,limit}', '80', 'a plan is changed');
select is((select generation from ve), 2, 'its VEs have something new');
create temp table c as select job_claim('n1', 30) as j;
select is((select j ->> 'kind' from c), 'apply', 'which a job tells');
select is((select j #>> '{spec,limits,numproc}' from c)::jsonb, '{"barrier": 64, "limit": 80}'::jsonb, 'to the node');
select is((select j #>> '{spec,limits,numfile,barrier}' from c), '4096', 'with all that stayed');
select pg_temp.save('trial', '{"numproc": "65"}');
select is((select count(*)::int from job where state in ('queued', 'running')), 1, 'while it is under way there is no second');
select job_finish((j ->> 'id')::bigint, 1, null) from c;
update job set finished_at = now() - interval '1 minute';
select ve_observe('n1', jsonb_build_array(jsonb_build_object('veid', pg_temp.veid('ann'), 'status', '{"state": "running", "observed_generation": 2}'::jsonb)), true);
select is(pg_temp.spec() #>> '{limits,numproc,limit}', '65', 'what came in between is told after it');
update job set state = 'done', finished_at = now() where state = 'running';
select is(ve_plan(pg_temp.h('op'), pg_temp.veid('ann'), 'large') ->> 'plan_title', 'Large', 'an operator gives another plan');
create temp table g as select pg_temp.spec() as s;
select is((select s #>> '{limits,memory_bytes}' from g), '1073741824', 'and the node hears');
select is((select s ->> 'egress' from g), 'true', 'of the way out too, which this plan has');
select throws_ok(format('select ve_plan(pg_temp.h(''op''), %s, ''none'')', pg_temp.veid('ann')), 'VE014', null, 'that there is');

-- use
select is(usage_due('n1'), jsonb_build_array(pg_temp.veid('ann')), 'who runs is asked');
select usage_take('n1', pg_temp.veid('ann'), '{"numproc": {"held": 12, "maxheld": 60, "barrier": 64, "limit": 64, "failcnt": 3},
  "privvmpages": {"held": 256, "maxheld": 512, "barrier": 1024, "limit": 2048, "failcnt": 0},
  "physpages": {"held": 256, "maxheld": 512, "barrier": 1024, "limit": 2048, "failcnt": 0}, "net": {"tx_bytes": 1000, "rx_bytes": 2000}}');
select is(usage_due('n1'), '[]', 'once a minute');
select is((usage_get(pg_temp.h('ann'), pg_temp.veid('ann')) #> '{rows,4}') - 'samples' - 'points' - 'hour' - 'title' - 'unit' - 'kind',
  '{"name": "numproc", "held": 12, "maxheld": 60, "barrier": 64, "limit": 64, "refused": 3, "used": "12", "bound": "64", "most": null}', 'a row: used, limit, refused');
select is((select jsonb_agg(jsonb_build_array(r -> 'bound', r -> 'most')) from jsonb_array_elements(usage_get(pg_temp.h('ann'), pg_temp.veid('ann')) -> 'rows') r
  where r ->> 'name' in ('privvmpages', 'physpages')), '[["4 MiB", "8 MiB"], ["8 MiB", null]]', 'the bound is what refuses; of memory the last one');
select is(usage_get(pg_temp.h('ann'), pg_temp.veid('ann')) #>> '{rows,2,used}', '1 MiB', 'memory in words');
select throws_ok(format('select usage_get(pg_temp.h(''bob''), %s)', pg_temp.veid('ann')), 'VE010', null, 'for nobody else');
insert into usage_sample select pg_temp.veid('ann'), i, now() - i * interval '1 minute', array_fill(i::bigint, array[21]) from generate_series(0, 59) i
  on conflict (veid, slot) do update set at = excluded.at, held = excluded.held;
select is(usage_get(pg_temp.h('ann'), pg_temp.veid('ann')) #>> '{rows,4,hour}', '0 to 59', 'the last hour in words');
select is(jsonb_array_length(usage_get(pg_temp.h('ann'), pg_temp.veid('ann')) #> '{rows,4,samples}'), 60, 'and in numbers');
select usage_take('n1', pg_temp.veid('ann'), '{"numproc": {"held": 1}}');
select is((select count(*)::int from usage_sample), 60, 'an hour is all that is kept');
select usage_take('n2', pg_temp.veid('ann'), '{"numproc": {"held": 99}}');
select is((select usage #>> '{numproc,held}' from usage_now), '1', 'another node says nothing about it');

-- refusals
create function pg_temp.refuse(event bigint, node text default 'n1') returns void language sql as $$
  select refusal_add(node, event, jsonb_build_object('veid', pg_temp.veid('ann'), 'resource', 'numproc', 'held', 64, 'barrier', 64,
    'limit', 64, 'refused', 17, 'program', E'ma\x07ke', 'time', '2026-11-24T12:00:00Z')) $$;
select pg_temp.refuse(5); select pg_temp.refuse(5);
select is((select string_agg(refusal_words(r), ',') from refusal r), 'fork refused in ma?ke: processes 64 of 64 (17 times)', 'a refusal is said in words, once');
select is(refusal_last('n1'), '5', 'and counted up to');
select pg_temp.refuse(6, 'n2');
select is((select count(*)::int from refusal), 1, 'not from another node');
select ok(home_get(pg_temp.h('ann')) -> 'events' @> '[{"action": "fork refused in ma?ke: processes 64 of 64 (17 times)"}]', 'the subscriber reads it');
select pg_temp.refuse(i) from generate_series(7, 99) i;
select is((select count(*)::int from refusal), 50, 'fifty are kept');
