-- SPDX-License-Identifier: Apache-2.0
-- Puts work in the queue.  One live job a VE: a second one is refused, or takes
-- the place of the first when p_supersede says so.
create or replace function ve.job_add(p_veid integer, p_kind ve.job_kind,
  p_supersede boolean default false) returns bigint
  language plpgsql
  set search_path = ve, pg_temp
as $$
declare
  j bigint;
begin
  if p_supersede then
    update job set state = 'superseded', finished_at = now()
      where veid = p_veid and state in ('queued', 'running');
  end if;
  insert into job (veid, node_id, kind)
    select v.veid, v.node_id, p_kind from ve v where v.veid = p_veid
    returning id into j;
  return j;
exception when unique_violation then
  raise exception using errcode = 'VE006',
    message = 'the environment is busy with an earlier request';
end
$$;
