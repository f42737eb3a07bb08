-- SPDX-License-Identifier: Apache-2.0
-- It did not work this time: back to the queue for p_delay milliseconds.
create or replace function ve.job_again(p_job bigint, p_attempt integer, p_delay integer,
  p_error text) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
begin
  update job set state = 'queued', locked_until = null, stage = 'waiting to try again',
      error = left(p_error, 500), run_at = now() + p_delay * interval '1 millisecond'
    where id = p_job and attempts = p_attempt and state = 'running';
  return to_jsonb(found);
end
$$;
