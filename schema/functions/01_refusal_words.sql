-- SPDX-License-Identifier: Apache-2.0
-- "fork refused in make: processes 64 of 64"
create or replace function ve.refusal_words(r ve.refusal) returns text
  language sql stable
  set search_path = ve, pg_temp
as $$
  select format('%s refused in %s: %s %s of %s', b.act, r.program, b.title,
      case when amount_show(r.held, b.unit) = amount_show(r.bound, b.unit) or b.unit = 'count'
        then regexp_replace(amount_show(r.held, b.unit), ' .*', '') else amount_show(r.held, b.unit) end,
      coalesce(amount_show(r.bound, b.unit), 'no bound'))
      || case when r.times > 1 then format(' (%s times)', r.times) else '' end
    from bean b where b.name = r.bean
$$;
