-- SPDX-License-Identifier: Apache-2.0
-- RFC 3339 in UTC, to the millisecond: the only form in which a time leaves the database.
create or replace function ve.iso(t timestamptz) returns text
  language sql stable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select to_char(t at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
