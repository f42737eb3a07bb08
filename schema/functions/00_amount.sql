-- SPDX-License-Identifier: Apache-2.0
-- What people write for an amount, "64", "16K", "128M", "2G"; with p_unit pages a
-- letter says bytes.  Null for what is none.
create or replace function ve.amount_read(p_text text, p_unit text) returns bigint
  language sql immutable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select case when m is null then null
      when m[2] <> '' and p_unit = 'pages' then m[1]::bigint * (1024 ^ strpos('KMGT', upper(m[2])))::bigint / 4096
      when m[2] <> '' and p_unit = 'count' then null
      when m[2] <> '' then m[1]::bigint * (1024 ^ strpos('KMGT', upper(m[2])))::bigint
      else m[1]::bigint end
    from (select coalesce(regexp_match(trim(p_text), '^([0-9]{1,6})([KMGTkmgt])$'),
      regexp_match(trim(p_text), '^([0-9]{1,15})()$'))) r(m)
$$;

-- The same number, written so.
create or replace function ve.amount_write(n bigint, p_unit text) returns text
  language sql immutable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select case when n = 0 or n > 268435455999999 or p_unit = 'count' then n::text
    when b % 1073741824 = 0 then b / 1073741824 || 'G'
    when b % 1048576 = 0 then b / 1048576 || 'M'
    when b % 1024 = 0 then b / 1024 || 'K'
    else n::text end
    from (select n * case p_unit when 'pages' then 4096 else 1 end) s(b)
$$;

-- A length of time as people write it: "15 mins".
create or replace function ve.span(t interval) returns text
  language sql stable parallel safe
  set search_path = pg_catalog, pg_temp set intervalstyle = 'postgres_verbose'
as $$
  select substr(t::text, 3)
$$;

-- As a page shows it; null for a bound that is none.
create or replace function ve.amount_show(n bigint, p_unit text) returns text
  language sql immutable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select case when n is null or n >= 1125899906842624 then null
    when p_unit = 'count' then n::text
    when b < 1024 then b || ' bytes'
    when b < 1048576 then trim_scale(round(b / 1024, (b < 10240)::integer)) || ' KiB'
    when b < 1073741824 then trim_scale(round(b / 1048576, (b < 10485760)::integer)) || ' MiB'
    else trim_scale(round(b / 1073741824, 1)) || ' GiB' end
    from (select n::numeric * case p_unit when 'pages' then 4096 else 1 end) s(b)
$$;
