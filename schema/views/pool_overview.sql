-- SPDX-License-Identifier: Apache-2.0
drop view if exists ve.pool_overview;
create view ve.pool_overview as
  select p.id, p.range::text as range, array_to_string(p.excluded, ' ') as excluded, family(p.range) as family, p.block_len,
    case family(p.range) when 4 then (2 ^ (32 - masklen(p.range)))::bigint end as addresses,
    (select count(*) from ve.block b where b.pool_id = p.id and upper(b.term) > now()) as blocks,
    case family(p.range)
      when 4 then (select count(*) from ve.lease l where l.address <<= p.range
        and upper_inf(l.during))
      else (select count(*) from ve.ve v where v.ipv6 <<= p.range and v.deleted_at is null)
    end as used
  from ve.pool p;
