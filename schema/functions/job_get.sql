-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.job_get(p_token bytea, p_job bigint) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
  r jsonb;
begin
  select * into who from session_require(p_token);
  select jsonb_build_object('id', j.id, 'veid', j.veid, 'kind', j.kind, 'state', j.state,
      'stage', j.stage, 'error', j.error, 'created_at', iso(j.created_at),
      'finished_at', iso(j.finished_at)) into r
    from job j join ve v on v.veid = j.veid
    where j.id = p_job and (v.subscriber_id = who.subscriber_id or who.operator);
  if r is null then
    raise exception using errcode = 'VE014', message = 'there is no such operation';
  end if;
  return r;
end
$$;
