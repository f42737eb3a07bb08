-- SPDX-License-Identifier: Apache-2.0
-- What a node says of its VEs; an address only if it is of a block that it was lent.  With p_complete the list is all there is, and
-- what is missing in it is absent.  Where a node and the database disagree about
-- a suspension, a deletion, a VE's being there or what it may use, where one runs
-- that is to be down, or is there still that was deleted, and no job is on its
-- way, one is made.
create or replace function ve.ve_observe(p_node text, p_items jsonb, p_complete boolean)
  returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  made integer := 0;
  there integer[];
  f record;
begin
  update ve v set state = o.state, state_suspended = o.suspended, state_generation = o.generation,
      state_ipv4 = o.ipv4, terminals = o.terminals, state_at = now(),
      activity = o.activity, idle_at = o.idle_at, waiting = o.waiting, waiting_s = o.waiting_s,
      idle_warned = v.idle_warned and coalesce(o.idle_at <= v.idle_at + interval '5 seconds', false),
      frozen_at = case when o.state <> 'frozen' then null else coalesce(v.frozen_at, now()) end,
      frozen_warned = v.frozen_warned and o.state = 'frozen',
      stopped_at = case when o.state <> 'stopped' then null else coalesce(v.stopped_at, now()) end,
      stopped_warned = v.stopped_warned and o.state = 'stopped',
      active_at = case when o.state = 'running' then now() else v.active_at end,
      state_error = case when o.state = 'failed' then coalesce(o.error, v.state_error)
        when v.state <> 'failed' then v.state_error end
    from (select (i ->> 'veid')::integer as veid,
        (i #>> '{status,state}')::ve_state as state,
        coalesce((i #>> '{status,suspended}')::boolean, false) as suspended,
        coalesce((i #>> '{status,observed_generation}')::integer, 0) as generation,
        (select a from (select (i #>> '{status,ipv4}')::inet) x(a) where masklen(a) = 32
          and exists (select from block b where b.node_id = p_node and b.term @> now() and a <<= b.range)) as ipv4,
        left(i #>> '{status,activity}', 200) as activity,
        (i #>> '{status,idle_at}')::timestamptz as idle_at,
        (i #>> '{status,waiting}')::integer as waiting,
        (i #>> '{status,waiting_s}')::bigint as waiting_s,
        coalesce((i #>> '{status,terminals}')::integer, 0) as terminals,
        left(i #>> '{status,error}', 500) as error
      from jsonb_array_elements(p_items) i) o
    where v.veid = o.veid and v.node_id = p_node and v.deleted_at is null
      and (v.state, v.state_suspended, v.state_generation, v.state_ipv4, v.terminals, v.activity,
          v.idle_at, v.waiting, v.waiting_s, case when o.state = 'failed' then v.state_error end)
        is distinct from (o.state, o.suspended, o.generation, o.ipv4, o.terminals, o.activity,
          o.idle_at, o.waiting, o.waiting_s, case when o.state = 'failed' then coalesce(o.error, v.state_error) end);
  if not p_complete then
    return to_jsonb(made);
  end if;
  select coalesce(array_agg((i ->> 'veid')::integer), '{}') into there
    from jsonb_array_elements(p_items) i where i ->> 'veid' is not null;
  update ve v set state = 'absent', state_ipv4 = null, terminals = 0, activity = null,
      idle_at = null, waiting = null, waiting_s = null, state_at = now()
    where v.node_id = p_node and v.deleted_at is null and v.state <> 'absent'
      and v.veid <> all(there);
  for f in
    select v.veid, case when v.desired = 'deleted' or v.deleted_at is not null then 'delete'
        when v.suspended <> v.state_suspended and v.state <> 'absent' then
          case when v.suspended then 'suspend' else 'unsuspend' end
        when v.state = 'absent' and not v.suspended then 'create'
        when v.desired = 'stopped' and v.state in ('running', 'frozen') then 'stop'
        when v.state in ('running', 'frozen', 'stopped', 'archived') and v.state_generation < v.generation
          then 'apply' end::job_kind as kind
      from ve v where v.node_id = p_node
        and (v.deleted_at is null or v.veid = any(there))
        and not exists (select from job j where j.veid = v.veid and j.state in ('queued', 'running'))
        and not exists (select from job j where j.veid = v.veid and j.finished_at > now() - interval '30 seconds')
  loop
    if f.kind is not null then
      perform job_add(f.veid, f.kind);
      made := made + 1;
    end if;
  end loop;
  return to_jsonb(made);
end
$$;
