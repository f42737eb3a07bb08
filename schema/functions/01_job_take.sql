-- SPDX-License-Identifier: Apache-2.0
-- One job of a node for p_seconds, or null; with p_urgent only what holds
-- somebody back, which comes first anyhow.  A job whose claim ran out is free.
-- What ends a VE may take as long as the VE likes, up to the node's patience: eight at a time
-- (of a job daemon's twelve workers), of them four suspensions, so that there is always
-- somebody for a start.
create or replace function ve.job_take(p_node text, p_seconds integer, p_urgent boolean)
  returns jsonb
  language plpgsql
  set search_path = ve, pg_temp
as $$
declare
  endings constant job_kind[] := job_endings();
  j job;
  ending integer;
  suspending integer;
begin
  select count(*), count(*) filter (where kind = 'suspend') into ending, suspending from job
    where node_id = p_node and state = 'running' and locked_until >= now() and kind = any(endings);
  update job set state = 'running', attempts = attempts + 1,
      locked_until = now() + p_seconds * interval '1 second'
    where id = (
      select id from job
        where node_id = p_node and run_at <= now() and (kind = 'suspend' or not p_urgent)
          and (p_urgent or not (kind = any(endings) and ending >= 8 or kind = 'suspend' and suspending >= 4))
          and (state = 'queued' or (state = 'running' and locked_until < now()))
        order by kind <> 'suspend', run_at, id
        limit 1
        for update skip locked)
    returning * into j;
  if not found then
    return null;
  end if;
  return (select jsonb_build_object('id', j.id, 'key', j.key, 'veid', j.veid, 'kind', j.kind,
      'attempt', j.attempts, 'age', extract(epoch from now() - j.created_at)::integer,
      'suspended', v.suspended,
      'spec', jsonb_build_object('template', v.template, 'hostname', v.hostname,
        'desired', case v.desired when 'running' then 'running' else 'stopped' end,
        'generation', v.generation, 'ipv6', host(v.ipv6), 'network', v.network::text, 'egress', p.egress,
        'idle', jsonb_build_object('idle_after_s', extract(epoch from p.idle_after)::integer,
          'stop_after_s', extract(epoch from p.stop_after)::integer,
          'warn_s', extract(epoch from p.warn)::integer, 'busy_permille', p.busy,
          'archive_after_s', extract(epoch from p.archive_after)::integer,
          'lease_max_s', extract(epoch from p.lease_max)::integer),
        'limits', jsonb_build_object('memory_bytes', p.memory_bytes, 'processes', p.processes,
            'cpu_weight', p.cpu_weight, 'disk_bytes', p.disk_bytes)
          || (select coalesce(jsonb_object_agg(l.bean, jsonb_build_object('barrier', l.barrier, 'limit', l."limit")), '{}')
            from plan_bean l where l.plan = p.name),
        'cpu', jsonb_build_object('weight', p.cpu_weight, 'cap_percent', p.cpu_cap, 'cpus', p.cpus),
        'bandwidth', jsonb_build_object('up', jsonb_build_object('rate', p.up_rate, 'ceil', p.up_ceil),
          'down', jsonb_build_object('rate', p.down_rate, 'ceil', p.down_ceil)),
        'flows', jsonb_build_object('rate', p.flow_rate, 'burst', p.flow_burst))
      || case when p.io_weight is null then '{}' else jsonb_build_object('io_weight', p.io_weight) end)
    from ve v join plan p on p.name = v.plan where v.veid = j.veid);
end
$$;
