-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.base64url(b bytea) returns text
  language sql immutable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select translate(encode(b, 'base64'), E'+/=\n', '-_')
$$;
