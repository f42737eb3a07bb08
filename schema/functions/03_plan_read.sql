-- SPDX-License-Identifier: Apache-2.0
-- A plan with the values of a form; says which is no amount and which no time.
create or replace function ve.plan_read(p ve.plan, p_name text, f jsonb) returns ve.plan
  language plpgsql
  set search_path = ve, pg_temp
as $$
declare
  k text;
  n jsonb := '{}';
  v interval;
begin
  foreach k in array array['memory', 'disk', 'up_rate', 'up_ceil', 'down_rate', 'down_ceil', 'processes', 'cpu_weight', 'cpu_cap',
      'cpus', 'flow_rate', 'flow_burst', 'io_weight', 'busy'] loop
    n := n || jsonb_build_object(k, amount_read(f ->> k, case when k in ('memory', 'disk') or k like '%\_rate' or k like '%\_ceil'
      then 'bytes' else 'count' end));
    if n -> k = 'null' and not (k = 'io_weight' and f ->> k = '') then
      raise exception using errcode = 'VE017', message = format('%s is not an amount, such as 64 or 128M', replace(k, '_', ' '));
    end if;
  end loop;
  foreach k in array array['life', 'grace', 'idle_after', 'stop_after', 'archive_after', 'lease_max', 'warn'] loop
    begin
      v := (f ->> k)::interval;
    exception when others then
      raise exception using errcode = 'VE017', message = format('%s is not a time, such as 15 minutes or 7 days', replace(k, '_', ' '));
    end;
  end loop;
  p.name := p_name;
  p.title := f ->> 'title';
  p.memory_bytes := n ->> 'memory';
  p.disk_bytes := n ->> 'disk';
  p.processes := n ->> 'processes';
  p.cpu_weight := n ->> 'cpu_weight';
  p.cpu_cap := n ->> 'cpu_cap';
  p.cpus := n ->> 'cpus';
  p.up_rate := n ->> 'up_rate';
  p.up_ceil := n ->> 'up_ceil';
  p.down_rate := n ->> 'down_rate';
  p.down_ceil := n ->> 'down_ceil';
  p.flow_rate := n ->> 'flow_rate';
  p.flow_burst := n ->> 'flow_burst';
  p.io_weight := n ->> 'io_weight';
  p.busy := n ->> 'busy';
  p.life := f ->> 'life';
  p.grace := f ->> 'grace';
  p.idle_after := f ->> 'idle_after';
  p.stop_after := f ->> 'stop_after';
  p.archive_after := f ->> 'archive_after';
  p.lease_max := f ->> 'lease_max';
  p.warn := f ->> 'warn';
  p.egress := f ->> 'egress' = 'yes';
  return p;
exception when numeric_value_out_of_range then
  raise exception using errcode = 'VE017', message = 'a number is too large';
end
$$;

-- Its bounds of a form: "64", "64:80", or nothing for none; what is not
-- mentioned stays.
create or replace function ve.plan_bounds(p_name text, f jsonb) returns void
  language plpgsql
  set search_path = ve, pg_temp
as $$
declare
  b bean;
  lo bigint;
  hi bigint;
begin
  for b in select * from bean where f ? name loop
    delete from plan_bean where plan = p_name and bean = b.name;
    continue when trim(f ->> b.name) = '';
    lo := amount_read(split_part(f ->> b.name, ':', 1), b.unit);
    hi := case when f ->> b.name like '%:%' then amount_read(substr(f ->> b.name, strpos(f ->> b.name, ':') + 1), b.unit) else lo end;
    if lo is null or hi is null then
      raise exception using errcode = 'VE017', message = format('%s is not an amount, such as 64, 64:80 or 128M', b.name);
    elsif lo > hi then
      raise exception using errcode = 'VE017', message = format('%s: the barrier %s is above the limit %s', b.name, lo, hi);
    end if;
    insert into plan_bean values (p_name, b.name, lo, hi);
  end loop;
end
$$;
