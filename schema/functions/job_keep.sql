-- SPDX-License-Identifier: Apache-2.0
-- Still at it: the claim lasts another p_seconds.  False when somebody else has
-- the job now, or nobody needs it any more.
create or replace function ve.job_keep(p_job bigint, p_attempt integer, p_seconds integer,
  p_stage text) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
begin
  update job set stage = left(p_stage, 100),
      locked_until = now() + p_seconds * interval '1 second'
    where id = p_job and attempts = p_attempt and state = 'running';
  return to_jsonb(found);
end
$$;
