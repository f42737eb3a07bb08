-- SPDX-License-Identifier: Apache-2.0
-- What its subscriber and the operator see of a VE.  While a job is at it, the
-- state says where it leads: "stopped" means that it can be started.
create or replace function ve.ve_json(v ve.ve) returns jsonb
  language sql stable
  set search_path = ve, pg_temp
as $$
  select jsonb_build_object(
    'veid', v.veid, 'hostname', v.hostname, 'port', v.port, 'template', v.template,
    'template_title', t.title, 'node', v.node_id, 'plan', v.plan, 'plan_title', p.title,
    'desired', v.desired, 'suspended', v.suspended,
    'state', case when n.state = 'revoked' then 'lost'
                  when v.desired = 'deleted' then 'deleting'
                  when v.suspended then 'suspended'
                  when l.kind = 'stop' then 'stopping'
                  when l.kind in ('create', 'start', 'restart', 'reinstall', 'wake') then 'starting'
                  when v.state = 'absent' and v.desired = 'running' then 'starting'
                  else v.state::text end,
    'error', v.state_error, 'terminals', v.terminals,
    'ipv4', host(v.state_ipv4), 'ipv6', host(v.ipv6),
    'memory_bytes', p.memory_bytes, 'processes', p.processes, 'disk_bytes', p.disk_bytes,
    'created_at', iso(v.created_at), 'expires_at', iso(v.expires_at),
    'expired', v.expires_at <= now(), 'delete_at', iso(v.expires_at + p.grace),
    'active_at', iso(v.active_at), 'activity', v.activity, 'idle_at', iso(v.idle_at),
    'waiting', v.waiting, 'waiting_minutes', ceil(v.waiting_s / 60.0),
    'stop_at', case when v.state = 'frozen' and p.stop_after > interval '0'
      then iso(v.frozen_at + p.stop_after) end,
    'archive_at', case when v.state = 'stopped' and p.archive_after > interval '0'
      then iso(v.stopped_at + p.archive_after) end,
    'soon', ve_soon(v, p),
    'job', (select jsonb_build_object('id', j.id, 'kind', j.kind, 'state', j.state,
        'stage', j.stage, 'error', j.error)
      from job j where j.veid = v.veid order by j.id desc limit 1))
  from template t, node n, plan p
    left join job l on l.veid = v.veid and l.state in ('queued', 'running')
    where t.name = v.template and n.id = v.node_id and p.name = v.plan
$$;
