-- SPDX-License-Identifier: Apache-2.0
-- The end of a job: p_error is null when it went well.  False when the job was
-- somebody else's by now.
create or replace function ve.job_finish(p_job bigint, p_attempt integer, p_error text)
  returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  j job;
begin
  update job set state = case when p_error is null then 'done' else 'failed' end::job_state,
      locked_until = null, stage = '', error = left(p_error, 500), finished_at = now()
    where id = p_job and attempts = p_attempt and state = 'running'
    returning * into j;
  if not found then
    return to_jsonb(false);
  end if;
  if j.kind = any(job_endings()) then
    perform pg_notify('ve_job', j.node_id); -- one that had to wait for it (job_take)
  end if;
  update ve set state_error = left(p_error, 500) where veid = j.veid;
  if p_error is not null then
    perform audit_add('job daemon', 'job.failed', v.subscriber_id, j.veid,
      jsonb_build_object('kind', j.kind, 'error', left(p_error, 500))) from ve v
      where v.veid = j.veid;
  elsif j.kind = 'delete' then
    update ve set deleted_at = now(), state = 'absent' where veid = j.veid and deleted_at is null;
    if found then
      update node set placed = placed - 1 where id = j.node_id;
    end if;
  end if;
  return to_jsonb(true);
end
$$;
