-- SPDX-License-Identifier: Apache-2.0
-- What a VE uses at this moment; null when its node counts nothing.
create or replace function ve.usage_take(p_node text, p_veid integer, p_usage jsonb) returns void
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
begin
  perform from ve where veid = p_veid and node_id = p_node and deleted_at is null for key share;
  if not found then
    return;
  end if;
  p_usage := nullif(p_usage, 'null');
  insert into usage_now values (p_veid, now(), p_usage)
    on conflict (veid) do update set at = excluded.at, usage = excluded.usage;
  if p_usage is null then
    return;
  end if;
  insert into usage_sample
    select p_veid, extract(minute from now())::integer, now(),
      array_agg(coalesce((p_usage #>> array[name, 'held'])::bigint, 0) order by position) from bean
    on conflict (veid, slot) do update set at = excluded.at, held = excluded.held;
end
$$;
