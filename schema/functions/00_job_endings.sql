-- SPDX-License-Identifier: Apache-2.0
-- The jobs that wait until a VE has ended.
create or replace function ve.job_endings()
  returns ve.job_kind[]
  language sql immutable
  set search_path = ve, pg_temp
as $$
  select array['stop', 'restart', 'reinstall', 'delete', 'suspend']::job_kind[]
$$;
