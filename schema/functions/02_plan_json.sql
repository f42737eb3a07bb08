-- SPDX-License-Identifier: Apache-2.0
-- A plan in numbers, and under "form" as its form shows it.
create or replace function ve.plan_json(p ve.plan) returns jsonb
  language sql stable
  set search_path = ve, pg_temp
as $$
  select jsonb_build_object('name', p.name, 'title', p.title, 'memory_bytes', p.memory_bytes,
      'processes', p.processes, 'disk_bytes', p.disk_bytes, 'egress', p.egress,
      'cpu', jsonb_build_object('weight', p.cpu_weight, 'cap_percent', p.cpu_cap, 'cpus', p.cpus),
      'bandwidth', jsonb_build_object('up', jsonb_build_object('rate', p.up_rate, 'ceil', p.up_ceil),
        'down', jsonb_build_object('rate', p.down_rate, 'ceil', p.down_ceil)),
      'flows', jsonb_build_object('rate', p.flow_rate, 'burst', p.flow_burst), 'io_weight', p.io_weight,
      'life', span(p.life), 'grace', span(p.grace), 'idle_after', span(p.idle_after),
      'stop_after', span(p.stop_after), 'archive_after', span(p.archive_after), 'warn', span(p.warn),
      'lease_max', span(p.lease_max), 'busy', p.busy,
      'limits', (select coalesce(jsonb_object_agg(l.bean, jsonb_build_object('barrier', l.barrier, 'limit', l."limit")), '{}')
        from plan_bean l where l.plan = p.name),
      'ves', (select count(*) from ve v where v.plan = p.name and v.deleted_at is null))
    || jsonb_build_object('form', jsonb_build_object('title', p.title,
      'memory', amount_write(p.memory_bytes, 'bytes'), 'processes', p.processes::text,
      'disk', amount_write(p.disk_bytes, 'bytes'), 'cpu_weight', p.cpu_weight::text, 'cpu_cap', p.cpu_cap::text,
      'cpus', p.cpus::text, 'up_rate', amount_write(p.up_rate, 'bytes'), 'up_ceil', amount_write(p.up_ceil, 'bytes'),
      'down_rate', amount_write(p.down_rate, 'bytes'), 'down_ceil', amount_write(p.down_ceil, 'bytes'),
      'flow_rate', p.flow_rate::text, 'flow_burst', p.flow_burst::text, 'io_weight', coalesce(p.io_weight::text, ''),
      'life', span(p.life), 'grace', span(p.grace), 'idle_after', span(p.idle_after), 'stop_after', span(p.stop_after),
      'archive_after', span(p.archive_after), 'lease_max', span(p.lease_max), 'busy', p.busy::text,
      'warn', span(p.warn), 'egress', case when p.egress then 'yes' else '' end))
    || jsonb_build_object('rows', (select jsonb_agg(jsonb_build_object('name', b.name, 'title', b.title, 'unit', b.unit,
        'value', case when l.bean is null then '' when l.barrier = l."limit" then amount_write(l.barrier, b.unit)
          else amount_write(l.barrier, b.unit) || ':' || amount_write(l."limit", b.unit) end) order by b.position)
      from bean b left join plan_bean l on l.plan = p.name and l.bean = b.name))
$$;
