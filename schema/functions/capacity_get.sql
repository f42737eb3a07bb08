-- SPDX-License-Identifier: Apache-2.0
-- What the landing page says to everybody.
create or replace function ve.capacity_get() returns jsonb
  language sql security definer stable
  set search_path = ve, pg_temp
as $$
  select to_jsonb(c) from capacity c
$$;
