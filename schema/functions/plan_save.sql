-- SPDX-License-Identifier: Apache-2.0
-- Makes a plan, or changes it and tells the nodes of all its VEs.  p_form has
-- texts, as a form sends them: amounts (128M), times (15 minutes), and for the
-- rows of /proc/user_beancounters "barrier:limit", one number for both, or
-- nothing for no bound.  What is missing is as it was, in a new plan as in the
-- trial's.
create or replace function ve.plan_save(p_token bytea, p_name text, p_form jsonb, p_new boolean) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
  p plan;
  f jsonb;
begin
  select * into who from session_require(p_token, true);
  select * into p from plan where name = case when p_new then 'trial' else p_name end for update;
  if p_new and exists (select from plan where name = p_name) then
    raise exception using errcode = 'VE028', message = format('there is a plan %s already', p_name);
  elsif p.name is null then
    raise exception using errcode = 'VE014', message = format('there is no plan %s', p_name);
  end if;
  f := (plan_json(p) -> 'form') || case when p_new then jsonb_build_object('title', p_name) else '{}' end || p_form;
  p := plan_read(p, p_name, f);
  if p_new then
    insert into plan values (p.*);
    insert into plan_bean select p_name, bean, barrier, "limit" from plan_bean where plan = 'trial';
  else
    update plan set (title, memory_bytes, processes, cpu_weight, disk_bytes, life, grace, egress, idle_after, stop_after,
        warn, cpu_cap, cpus, up_rate, up_ceil, down_rate, down_ceil, flow_rate, flow_burst, io_weight,
        archive_after, lease_max, busy)
      = (p.title, p.memory_bytes, p.processes, p.cpu_weight, p.disk_bytes, p.life, p.grace, p.egress, p.idle_after, p.stop_after,
        p.warn, p.cpu_cap, p.cpus, p.up_rate, p.up_ceil, p.down_rate, p.down_ceil, p.flow_rate, p.flow_burst, p.io_weight,
        p.archive_after, p.lease_max, p.busy)
      where name = p_name;
  end if;
  perform plan_bounds(p_name, p_form);
  if not p_new then
    perform plan_apply(array(select veid from ve where plan = p_name and deleted_at is null and desired <> 'deleted'));
  end if;
  select * into p from plan where name = p_name;
  perform audit_add(who.email, case when p_new then 'plan.make' else 'plan.change' end, null, null,
    jsonb_build_object('plan', p_name) || p_form);
  return plan_json(p);
end
$$;
