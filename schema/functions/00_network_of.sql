-- SPDX-License-Identifier: Apache-2.0
-- The network that rate limits count for a visitor: /24 of IPv4, /64 of IPv6.
create or replace function ve.network_of(address inet) returns cidr
  language sql immutable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select network(set_masklen(address, case family(address) when 4 then 24 else 64 end))
$$;
