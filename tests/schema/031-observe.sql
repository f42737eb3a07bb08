-- SPDX-License-Identifier: Apache-2.0
-- The node says how it is; where it disagrees and nobody is at it, somebody will be.
select plan(11);
create function pg_temp.see(s text, suspended boolean) returns jsonb language sql as $$
  select ve_observe('n1', jsonb_build_array(jsonb_build_object('veid', pg_temp.veid('ann'), 'status',
    jsonb_build_object('state', s, 'suspended', suspended, 'observed_generation', 1,
      'ipv4', '10.77.0.3', 'terminals', 2))), true) $$;
select pg_temp.work();
select pg_temp.see('running', false);
select is((select state::text from ve), 'running', 'a state is seen');
select is(ve_get(pg_temp.h('ann'), pg_temp.veid('ann')) ->> 'ipv4', '10.77.0.3', 'and the address');
select is(pg_temp.see('running', true), '0', 'just after a job nothing is made of it');
update job set finished_at = now() - interval '1 minute';
select is(pg_temp.see('running', true), '1', 'later a foreign suspension is lifted');
select is(pg_temp.work(), 'unsuspend', 'by a job');
update job set finished_at = now() - interval '1 minute';
select is(ve_observe('n1', '[]', true), '1', 'a VE that is missing');
select is((select state::text from ve), 'absent', 'is absent');
select is(pg_temp.work(), 'create', 'and made again');
select lives_ok($$select ve_observe('n1', '[{"veid": 4711, "status": {"state": "running"}}]', true)$$,
  'a stranger on the node is left alone');
select node_fact('n1', '{"memory_bytes": 4096, "memory_free_bytes": "much"}');
select is((select n -> 'memory_bytes' from jsonb_array_elements(node_list(pg_temp.h('op'))) n where n ->> 'id' = 'n1'), '4096', 'the operator sees what a node says of itself');
select is((select n -> 'memory_free_bytes' from jsonb_array_elements(node_list(pg_temp.h('op'))) n where n ->> 'id' = 'n1'), 'null', 'but for what is no number');
