-- SPDX-License-Identifier: Apache-2.0
-- The node says how it is; where it disagrees and nobody is at it, somebody will be.
select plan(22);
create function pg_temp.see(s text, suspended boolean) returns jsonb language sql as $$
  select ve_observe('n1', jsonb_build_array(jsonb_build_object('veid', pg_temp.veid('ann'), 'status',
    jsonb_build_object('state', s, 'suspended', suspended, 'observed_generation', 1,
      'ipv4', '10.77.0.3', 'terminals', 2))), true) $$;
select pg_temp.work();
select pg_temp.see('running', false);
select is((select state::text from ve), 'running', 'a state is seen');
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'ipv4', null, 'but no address that the node was not lent');
select block_renew((block_sync('n1') ->> 0)::bigint);
select pg_temp.see('running', false);
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'ipv4', '10.77.0.3', 'one that it was lent is');
select ve_observe('n1', jsonb_build_array(jsonb_build_object('veid', pg_temp.veid('ann'), 'status',
  jsonb_build_object('state', 'running', 'ipv4', a))), false) from unnest(array['2001:db8::1', '10.77.0.0/30']) a;
select is((select state_ipv4 from ve), null, 'nor what is no IPv4 address');
select pg_temp.see('running', false);
select is(pg_temp.see('running', true), '0', 'just after a job nothing is made of it');
update job set finished_at = now() - interval '1 minute';
select is(pg_temp.see('running', true), '1', 'later a foreign suspension is lifted');
select is(pg_temp.work(), 'unsuspend', 'by a job');
update job set finished_at = now() - interval '1 minute';
select is(ve_observe('n1', '[]', true), '1', 'a VE that is missing');
select is((select state::text from ve), 'absent', 'is absent');
select is(pg_temp.work(), 'create', 'and made again');

update job set finished_at = now() - interval '1 minute';
select pg_temp.see('running', false);
update ve set desired = 'stopped';
select is(pg_temp.see('frozen', false), '1', 'one that is there and is to be down');
select is(pg_temp.work(), 'stop', 'is stopped');
update job set finished_at = now() - interval '1 minute';
select is(pg_temp.see('stopped', false), '0', 'one that is down is left alone');
update ve set desired = 'running';
create function pg_temp.fail(e text) returns jsonb language sql as $$
  select ve_observe('n1', jsonb_build_array(jsonb_build_object('veid', pg_temp.veid('ann'), 'status',
    jsonb_build_object('state', 'failed', 'observed_generation', 1, 'error', e))), false) $$;
select pg_temp.fail('its init ended at once');
select is((select state_error from ve), 'its init ended at once', 'what a node says went wrong');
select pg_temp.fail('no room on the disk');
select is((select state_error from ve), 'no room on the disk', 'and what then');
select pg_temp.see('running', false);
select is((select state_error from ve), null, 'is over when it runs');

update job set finished_at = now() - interval '1 minute';
update ve set desired = 'deleted', deleted_at = now();
select is(ve_observe('n1', '[]', true), '0', 'a VE that was deleted is gone');
select is(ve_observe('n1', (select jsonb_build_array(jsonb_build_object('veid', veid, 'status', '{"state": "running"}'::jsonb)) from ve), true),
  '1', 'if it comes nevertheless');
select is(pg_temp.work(), 'delete', 'it goes again');
update ve set desired = 'running', deleted_at = null;

select lives_ok($$select ve_observe('n1', '[{"veid": 4711, "status": {"state": "running"}}]', true)$$,
  'a stranger on the node is left alone');
select node_fact('n1', '{"memory_bytes": 4096, "memory_free_bytes": "much"}');
select is((select n -> 'memory_bytes' from jsonb_array_elements(node_list(pg_temp.h('op'))) n where n ->> 'id' = 'n1'), '4096', 'the operator sees what a node says of itself');
select is((select n -> 'memory_free_bytes' from jsonb_array_elements(node_list(pg_temp.h('op'))) n where n ->> 'id' = 'n1'), 'null', 'but for what is no number');
