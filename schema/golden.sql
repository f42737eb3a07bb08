
CREATE SCHEMA ve;

ALTER SCHEMA ve OWNER TO ve_owner;

CREATE SCHEMA ve_meta;

ALTER SCHEMA ve_meta OWNER TO ve_owner;

CREATE TYPE ve.job_kind AS ENUM (
    'create',
    'start',
    'stop',
    'restart',
    'reinstall',
    'delete',
    'suspend',
    'unsuspend',
    'apply',
    'wake',
    'idle',
    'stay'
);

ALTER TYPE ve.job_kind OWNER TO ve_owner;

CREATE TYPE ve.job_state AS ENUM (
    'queued',
    'running',
    'done',
    'failed',
    'superseded'
);

ALTER TYPE ve.job_state OWNER TO ve_owner;

CREATE TYPE ve.node_state AS ENUM (
    'active',
    'draining',
    'revoked'
);

ALTER TYPE ve.node_state OWNER TO ve_owner;

CREATE TYPE ve.subscriber_role AS ENUM (
    'subscriber',
    'operator'
);

ALTER TYPE ve.subscriber_role OWNER TO ve_owner;

CREATE TYPE ve.ve_desired AS ENUM (
    'running',
    'stopped',
    'deleted'
);

ALTER TYPE ve.ve_desired OWNER TO ve_owner;

CREATE TYPE ve.ve_state AS ENUM (
    'absent',
    'stopped',
    'starting',
    'running',
    'stopping',
    'frozen',
    'failed',
    'archived'
);

ALTER TYPE ve.ve_state OWNER TO ve_owner;

CREATE FUNCTION ve.account_admit(p_email text, p_address inet) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  v text := 'ok';
begin
  if not rate_take('signup', network_of(p_address)::text) then
    v := 'limited';
  elsif exists (select from subscriber where email = p_email) then
    v := 'taken';
  elsif (select count(*) from queue) >= 10000 then
    v := 'full';
  end if;
  return to_jsonb(v);
end
$$;

ALTER FUNCTION ve.account_admit(p_email text, p_address inet) OWNER TO ve_owner;

CREATE FUNCTION ve.account_confirm(p_confirmation bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  c confirmation;
  p subscriber;
  v integer;
begin
  delete from confirmation where token_hash = p_confirmation returning * into c;
  if c.token_hash is null or c.expires_at <= now() then
    raise exception using errcode = 'VE021',
      message = 'this link has been used, or it is too old: ask for another on your page';
  end if;
  delete from confirmation where subscriber_id = c.subscriber_id;
  update subscriber set confirmed_at = coalesce(confirmed_at, now()) where id = c.subscriber_id
    returning * into p;
  update ve set plan = 'confirmed', generation = generation + 1, warned_at = null, expired_at = null,
      expires_at = greatest(expires_at, now() + l.life)
    from plan l where l.name = 'confirmed' and subscriber_id = p.id and plan = 'trial'
      and deleted_at is null and desired <> 'deleted'
    returning veid into v;
  if v is not null and not exists (select from job where veid = v and state in ('queued', 'running')) then
    perform job_add(v, 'apply');
  end if;
  perform audit_add(p.email, 'account.confirm', p.id, v);
  return jsonb_build_object('email', p.email, 'confirmed', true);
end
$$;

ALTER FUNCTION ve.account_confirm(p_confirmation bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.account_confirm_ask(p_token bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
begin
  select * into who from session_require(p_token);
  if exists (select from subscriber where id = who.subscriber_id and confirmed_at is not null) then
    raise exception using errcode = 'VE022', message = 'this address is confirmed already';
  end if;
  if not rate_take('confirm', 'subscriber ' || who.subscriber_id) then
    raise exception using errcode = 'VE003',
      message = 'that was asked for a few times already; please look for the letter, or ask again in an hour';
  end if;
  perform confirm_ask(who.subscriber_id, who.email, E'Hello,\n\n');
  perform audit_add(who.email, 'account.confirm_ask', who.subscriber_id, null);
  return jsonb_build_object('email', who.email);
end
$$;

ALTER FUNCTION ve.account_confirm_ask(p_token bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.account_login(p_subscriber bigint, p_address inet, p_token bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  p subscriber;
  v integer;
begin
  select * into p from subscriber where id = p_subscriber for share;
  if not found then
    raise exception using errcode = 'VE019', message = 'e-mail address or password is wrong';
  end if;
  if p.suspended_at is not null then
    raise exception using errcode = 'VE007',
      message = 'this account is suspended: ' || p.suspended_why;
  end if;
  insert into session (token_hash, subscriber_id, address) values (p_token, p.id, p_address);
  delete from rate where kind = 'login_account'
    and key = network_of(p_address) || ' ' || p.email;
  select veid into v from ve where subscriber_id = p.id and deleted_at is null;
  perform audit_add(p.email, 'account.login', p.id, v,
    jsonb_build_object('network', network_of(p_address)));
  return jsonb_build_object('subscriber', p.id, 'role', p.role, 'veid', v);
end
$$;

ALTER FUNCTION ve.account_login(p_subscriber bigint, p_address inet, p_token bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.account_lookup(p_email text, p_address inet) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  free boolean;
begin
  free := rate_take('login', network_of(p_address)::text);
  free := rate_take('login_account', network_of(p_address) || ' ' || p_email) and free;
  return jsonb_build_object('limited', not free) || coalesce((
    select jsonb_build_object('subscriber', s.id, 'password_hash', c.password_hash)
      from subscriber s join credential c on c.subscriber_id = s.id
      where s.email = p_email), '{}');
end
$$;

ALTER FUNCTION ve.account_lookup(p_email text, p_address inet) OWNER TO ve_owner;

CREATE FUNCTION ve.account_rehash(p_subscriber bigint, p_old text, p_new text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  update credential set password_hash = p_new
    where subscriber_id = p_subscriber and password_hash = p_old
$$;

ALTER FUNCTION ve.account_rehash(p_subscriber bigint, p_old text, p_new text) OWNER TO ve_owner;

CREATE FUNCTION ve.account_signup(p_email text, p_password_hash text, p_template text, p_address inet, p_token bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'ext', 'pg_temp'
    AS $$
declare
  s bigint;
  v integer;
begin
  insert into subscriber (email, created_from) values (p_email, p_address)
    on conflict (email) do nothing returning id into s;
  if s is null then
    raise exception using errcode = 'VE001', message = 'this e-mail address has an account already';
  end if;
  insert into credential (subscriber_id, password_hash) values (s, p_password_hash);
  v := ve_open(s, p_template, p_address);
  insert into session (token_hash, subscriber_id, address) values (p_token, s, p_address);
  perform confirm_ask(s, p_email, case when v is null
    then E'Hello,\n\nall places are taken at the moment: you are in the line, and we write when it is your turn.\n\n'
    else format(E'Hello,\n\nyour environment #%s is ready.\n\n', v) end);
  perform audit_add(p_email, 'account.signup', s, v,
    jsonb_build_object('network', network_of(p_address), 'template', p_template));
  return jsonb_build_object('subscriber', s, 'veid', v, 'queue', queue_json(s));
end
$$;

ALTER FUNCTION ve.account_signup(p_email text, p_password_hash text, p_template text, p_address inet, p_token bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.amount_read(p_text text, p_unit text) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  select case when m is null then null
      when m[2] <> '' and p_unit = 'pages' then m[1]::bigint * (1024 ^ strpos('KMGT', upper(m[2])))::bigint / 4096
      when m[2] <> '' and p_unit = 'count' then null
      when m[2] <> '' then m[1]::bigint * (1024 ^ strpos('KMGT', upper(m[2])))::bigint
      else m[1]::bigint end
    from (select coalesce(regexp_match(trim(p_text), '^([0-9]{1,6})([KMGTkmgt])$'),
      regexp_match(trim(p_text), '^([0-9]{1,15})()$'))) r(m)
$_$;

ALTER FUNCTION ve.amount_read(p_text text, p_unit text) OWNER TO ve_owner;

CREATE FUNCTION ve.amount_show(n bigint, p_unit text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select case when n is null or n >= 1125899906842624 then null
    when p_unit = 'count' then n::text
    when b < 1024 then b || ' bytes'
    when b < 1048576 then trim_scale(round(b / 1024, (b < 10240)::integer)) || ' KiB'
    when b < 1073741824 then trim_scale(round(b / 1048576, (b < 10485760)::integer)) || ' MiB'
    else trim_scale(round(b / 1073741824, 1)) || ' GiB' end
    from (select n::numeric * case p_unit when 'pages' then 4096 else 1 end) s(b)
$$;

ALTER FUNCTION ve.amount_show(n bigint, p_unit text) OWNER TO ve_owner;

CREATE FUNCTION ve.amount_write(n bigint, p_unit text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select case when n = 0 or n > 268435455999999 or p_unit = 'count' then n::text
    when b % 1073741824 = 0 then b / 1073741824 || 'G'
    when b % 1048576 = 0 then b / 1048576 || 'M'
    when b % 1024 = 0 then b / 1024 || 'K'
    else n::text end
    from (select n * case p_unit when 'pages' then 4096 else 1 end) s(b)
$$;

ALTER FUNCTION ve.amount_write(n bigint, p_unit text) OWNER TO ve_owner;

CREATE FUNCTION ve.audit_add(p_actor text, p_action text, p_subscriber bigint, p_veid integer, p_detail jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 've', 'ext', 'pg_temp'
    AS $$
declare
  h audit_head;
  t timestamptz := clock_timestamp();
begin
  if p_action !~ '^account[.]' and exists (select from subscriber where id = p_subscriber and email = p_actor)
      and not rate_take('change', 'subscriber ' || p_subscriber) then
    raise exception using errcode = 'VE003', message = 'too many changes in an hour; try again later';
  end if;
  select * into h from audit_head for update;
  h.id := h.id + 1;
  h.hash := digest(h.hash || convert_to(
    jsonb_build_array(h.id, iso(t), p_actor, p_action, p_subscriber, p_veid, p_detail)::text,
    'UTF8'), 'sha256');
  insert into audit (id, at, actor, action, subscriber_id, veid, detail, hash)
    values (h.id, t, p_actor, p_action, p_subscriber, p_veid, p_detail, h.hash);
  update audit_head set id = h.id, hash = h.hash;
end
$$;

ALTER FUNCTION ve.audit_add(p_actor text, p_action text, p_subscriber bigint, p_veid integer, p_detail jsonb) OWNER TO ve_owner;

CREATE FUNCTION ve.audit_list(p_token bytea, p_before bigint) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  perform session_require(p_token, true);
  return (select coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'at', iso(a.at),
        'actor', a.actor, 'action', a.action, 'subscriber', a.subscriber_id, 'veid', a.veid,
        'detail', case a.detail when '{}' then '' else a.detail::text end,
        'hash', left(encode(a.hash, 'hex'), 12)) order by a.id desc), '[]')
    from (select * from audit where id < coalesce(p_before, 9223372036854775807)
      order by id desc limit 50) a);
end
$$;

ALTER FUNCTION ve.audit_list(p_token bytea, p_before bigint) OWNER TO ve_owner;

CREATE FUNCTION ve.audit_refuse() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  raise exception 'the audit log is only added to';
end
$$;

ALTER FUNCTION ve.audit_refuse() OWNER TO ve_owner;

CREATE FUNCTION ve.audit_verify() RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 've', 'ext', 'pg_temp'
    AS $$
declare
  a audit;
  h bytea := '\x00';
  n bigint := 0;
begin
  for a in select * from audit order by id loop
    n := n + 1;
    h := digest(h || convert_to(jsonb_build_array(a.id, iso(a.at), a.actor, a.action,
      a.subscriber_id, a.veid, a.detail)::text, 'UTF8'), 'sha256');
    if a.id <> n or a.hash <> h then
      return n;
    end if;
  end loop;
  if (n, h) is distinct from (select (id, hash) from audit_head) then
    return n + 1;
  end if;
  return null;
end
$$;

ALTER FUNCTION ve.audit_verify() OWNER TO ve_owner;

CREATE FUNCTION ve.base64url(b bytea) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select translate(encode(b, 'base64'), E'+/=\n', '-_')
$$;

ALTER FUNCTION ve.base64url(b bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.block_lend(p_node text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 've', 'ext', 'pg_temp'
    AS $$
declare
  p pool;
  b bigint;
begin
  for p in select * from pool where family(range) = 4 order by id for update loop
    with recursive c as (
      select set_masklen((network(p.range)::inet + i * (2 ^ (32 - p.block_len))::bigint),
          p.block_len)::cidr as range
        from generate_series(0, (2 ^ (p.block_len - masklen(p.range)))::bigint - 1) i
      union all
      select set_masklen(network(c.range)::inet + half * (2 ^ (31 - masklen(c.range)))::bigint,
          masklen(c.range) + 1)::cidr
        from c, generate_series(0, 1) half
        where masklen(c.range) < 32 and exists (select from unnest(p.excluded) x where x && c.range)
          and not exists (select from unnest(p.excluded) x where c.range <<= x))
    insert into block (pool_id, node_id, range, term)
      select p.id, p_node, c.range, tstzrange(now(), now() + interval '120 seconds')
        from c
        where not exists (select from unnest(p.excluded) x where x && c.range)
          and not exists (select from block o where o.range && c.range and upper(o.term) > now())
        order by c.range limit 1
      returning id into b;
    if b is not null then
      return b;
    end if;
  end loop;
  return null;
end
$$;

ALTER FUNCTION ve.block_lend(p_node text) OWNER TO ve_owner;

CREATE FUNCTION ve.block_renew(p_block bigint) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  b block;
begin
  update block set renewed_at = now(),
      term = tstzrange(lower(term), greatest(upper(term), now() + interval '120 seconds'))
    where id = p_block and upper(term) > now() + interval '60 seconds'
      and not exists (select from node n where n.id = block.node_id and n.state = 'revoked')
    returning * into b;
  if not found then
    return null;
  end if;
  return jsonb_build_object('id', b.id, 'range', b.range::text, 'term_ms', 60000,
    'nonce', b.nonce, 'acked_epoch', b.acked_epoch);
end
$$;

ALTER FUNCTION ve.block_renew(p_block bigint) OWNER TO ve_owner;

CREATE FUNCTION ve.block_report(p_block bigint, p_nonce text, p_leases jsonb, p_released jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'ext', 'pg_temp'
    AS $$
declare
  b block;
  r record;
  wrong jsonb[] := '{}';
  w jsonb;
  alarms integer := 0;
  fresh boolean;
  since timestamptz;
begin
  select * into b from block where id = p_block for update;
  for r in
    select (i ->> 'address')::inet as address, (i ->> 'veid')::integer as veid,
        (i ->> 'epoch')::bigint as epoch, (i ->> 'since')::timestamptz as since,
        (i ->> 'until')::timestamptz as until
      from jsonb_array_elements(p_released || p_leases) i
      order by (i ->> 'until') is null, (i ->> 'epoch')::bigint
  loop
    begin
      if not r.address <<= b.range then
        raise exclusion_violation;
      end if;
      since := least(greatest(r.since, lower(b.term)), now());
      if since <> r.since then
        select greatest(since, max(upper(l.during))) into since from lease l
          where l.block_id = b.id and l.address = r.address and l.epoch < r.epoch;
      end if;
      insert into lease (address, veid, node_id, block_id, epoch, during)
        values (r.address, r.veid, b.node_id, b.id, r.epoch, tstzrange(since, case when r.until is not null then
          greatest(least(r.until, now()), since + interval '1 microsecond') end))
        on conflict on constraint lease_epoch_key do update set during = excluded.during
          where upper_inf(lease.during)
        returning xmax = 0 into fresh;
      if fresh and r.veid >= 1000 and not exists (select from ve v where v.veid = r.veid
          and coalesce(v.deleted_at > since, true)) then
        wrong := wrong || jsonb_build_object('address', r.address, 'epoch', r.epoch, 'veid', r.veid, 'why', 'the VE is gone');
      end if;
    exception when exclusion_violation then
      wrong := wrong || jsonb_build_object('address', r.address, 'epoch', r.epoch, 'veid', r.veid);
    end;
  end loop;
  update lease l set during = tstzrange(lower(l.during), greatest(now(), lower(l.during) + interval '1 microsecond'))
    where l.block_id = b.id and upper_inf(l.during) and not exists (
      select from jsonb_array_elements(p_leases) i where (i ->> 'address')::inet = l.address
        and (i ->> 'epoch')::bigint = l.epoch);
  update block set nonce = p_nonce, acked_epoch = greatest(acked_epoch, coalesce(
      (select max((i ->> 'epoch')::bigint) from jsonb_array_elements(p_released) i), 0))
    where id = p_block;
  foreach w in array wrong loop
    alarms := alarms + lease_alarm(b.node_id, (w ->> 'address')::inet, (w ->> 'epoch')::bigint,
      (w ->> 'veid')::integer, w ->> 'why');
    exit when alarms = 16;
  end loop;
  return to_jsonb(alarms);
end
$$;

ALTER FUNCTION ve.block_report(p_block bigint, p_nonce text, p_leases jsonb, p_released jsonb) OWNER TO ve_owner;

CREATE FUNCTION ve.block_return(p_block bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 've', 'ext', 'pg_temp'
    AS $$
  update block set term = tstzrange(lower(term), least(upper(term), now() + interval '60 seconds'))
    where id = p_block
$$;

ALTER FUNCTION ve.block_return(p_block bigint) OWNER TO ve_owner;

CREATE FUNCTION ve.block_spare(p_node text) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 've', 'ext', 'pg_temp'
    AS $$
  select to_jsonb(b.id) from block b
    where b.node_id = p_node and upper(b.term) > now() + interval '60 seconds'
      and lower(b.term) < now() - interval '5 minutes'
      and not exists (select from ve v where v.node_id = p_node and v.waiting is not null and v.deleted_at is null)
      and exists (select from node n where n.id <> p_node and n.state <> 'revoked'
        and n.short_at > now() - interval '1 minute')
      and (select count(*) from block o where o.node_id = p_node
        and upper(o.term) > now() + interval '60 seconds') > 1
      and not exists (select from lease l where l.block_id = b.id
        and coalesce(upper(l.during), 'infinity') > now() - interval '5 minutes')
    order by b.id desc limit 1
$$;

ALTER FUNCTION ve.block_spare(p_node text) OWNER TO ve_owner;

CREATE FUNCTION ve.block_sync(p_node text, p_boot text DEFAULT NULL::text, p_ms bigint DEFAULT NULL::bigint) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'ext', 'pg_temp'
    AS $$
declare
  have bigint;
  used bigint;
  short boolean := false;
begin
  perform clock_check(p_boot, p_ms);
  perform lease_close();
  select coalesce(sum((2 ^ (32 - masklen(range)))::bigint), 0) into have
    from block where node_id = p_node and upper(term) > now() + interval '60 seconds';
  select count(*) into used from lease l join block b on b.id = l.block_id
    where b.node_id = p_node and upper_inf(l.during);
  if exists (select from node where id = p_node and state = 'revoked') then
    return '[]';
  end if;
  if have = 0 or exists (select from ve where node_id = p_node and waiting is not null and deleted_at is null)
      or (used * 4 > have * 3 and not exists (select from node n join ve v on v.node_id = n.id
        where n.id <> p_node and n.state <> 'revoked' and n.short_at > now() - interval '1 minute'
          and v.waiting is not null and v.deleted_at is null)) then
    short := block_lend(p_node) is null;
  end if;
  update node set short_at = case when short then now() end where id = p_node
    and (short or short_at is not null);
  return (select coalesce(jsonb_agg(id order by id), '[]') from block
    where node_id = p_node and upper(term) > now() + interval '60 seconds');
end
$$;

ALTER FUNCTION ve.block_sync(p_node text, p_boot text, p_ms bigint) OWNER TO ve_owner;

CREATE FUNCTION ve.capacity_get() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  select to_jsonb(c) from capacity c
$$;

ALTER FUNCTION ve.capacity_get() OWNER TO ve_owner;

CREATE FUNCTION ve.clock_check(p_boot text, p_ms bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 've', 'ext', 'pg_temp'
    AS $$
declare
  began timestamptz := now() - p_ms * interval '1 millisecond';
  since timestamptz;
  step interval;
begin
  if p_boot is null then
    return;
  end if;
  select began - c.base into step from clock c where c.boot = p_boot for update;
  if not found then
    select max(c.at) into since from clock c;
  elsif step > interval '5 seconds' then
    since := now() - step;
    raise warning 'the clock of the data base has gone forward by %: blocks that are lent are kept for two more minutes', step;
  end if;
  update block b set term = tstzrange(lower(term), now() + interval '120 seconds')
    where upper(term) > since and upper(term) < now() + interval '120 seconds'
      and not exists (select from block o where o.id <> b.id and o.range && b.range and upper(o.term) > greatest(now(), lower(b.term)));
  insert into clock (boot, base, at) values (p_boot, began, now())
    on conflict on constraint clock_pkey do update set base = excluded.base, at = excluded.at;
  delete from clock where boot <> p_boot and at < now() - interval '30 days';
end
$$;

ALTER FUNCTION ve.clock_check(p_boot text, p_ms bigint) OWNER TO ve_owner;

CREATE FUNCTION ve.confirm_ask(p_subscriber bigint, p_email text, p_words text) RETURNS void
    LANGUAGE sql
    SET search_path TO 've', 'pg_temp'
    AS $$
  update mail set failed_at = now(), error = 'another one took its place'
    where confirms = p_subscriber and sent_at is null and failed_at is null;
  insert into mail (recipient, subject, body, confirms)
    values (p_email, 'Please confirm your e-mail address', p_words ||
      E'Open this link to confirm that this address is yours. It is good for a day and for one use:\n\n'
      || E'{link}\n\nA confirmed address opens more: memory, disk, time.\n'
      || E'If you know nothing of this, do nothing: without the link nobody is confirmed.\n', p_subscriber);
$$;

ALTER FUNCTION ve.confirm_ask(p_subscriber bigint, p_email text, p_words text) OWNER TO ve_owner;

CREATE FUNCTION ve.confirm_link(p_mail bigint, p_confirmation bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  insert into confirmation (token_hash, subscriber_id)
    select p_confirmation, confirms from mail
      where id = p_mail and confirms is not null and sent_at is null and failed_at is null
$$;

ALTER FUNCTION ve.confirm_link(p_mail bigint, p_confirmation bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.dns_done(p_zone text, p_names jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  delete from dns_name t using jsonb_to_recordset(p_names) n(name text, ipv4 inet, ipv6 inet)
    where t.zone = p_zone and t.name = n.name;
  insert into dns_name (zone, name, ipv4, ipv6)
    select p_zone, n.name, n.ipv4, n.ipv6 from jsonb_to_recordset(p_names) n(name text, ipv4 inet, ipv6 inet)
      where n.ipv4 is not null or n.ipv6 is not null;
$$;

ALTER FUNCTION ve.dns_done(p_zone text, p_names jsonb) OWNER TO ve_owner;

CREATE FUNCTION ve.dns_due(p_zone text, p_most integer) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  select coalesce(jsonb_agg(jsonb_build_object('name', d.name, 'ipv4', host(d.ipv4), 'ipv6', host(d.ipv6)) order by d.name), '[]')
    from (select name, w.ipv4, w.ipv6
      from dns_wanted() w full join (select * from dns_name where zone = p_zone) t using (name)
      where (w.ipv4, w.ipv6) is distinct from (t.ipv4, t.ipv6)
      order by name limit p_most) d
$$;

ALTER FUNCTION ve.dns_due(p_zone text, p_most integer) OWNER TO ve_owner;

CREATE FUNCTION ve.dns_wanted() RETURNS TABLE(name text, ipv4 inet, ipv6 inet)
    LANGUAGE sql STABLE
    SET search_path TO 've', 'pg_temp'
    AS $$
  select v.hostname, case when n.seen_at > now() - interval '60 seconds' then v.state_ipv4 end, v.ipv6
    from ve v join node n on n.id = v.node_id
    where v.deleted_at is null and v.desired <> 'deleted' and n.state <> 'revoked'
$$;

ALTER FUNCTION ve.dns_wanted() OWNER TO ve_owner;

CREATE FUNCTION ve.drive_list() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  select coalesce(jsonb_agg(jsonb_build_object('id', id, 'url', url) order by id), '[]')
    from node where state <> 'revoked'
$$;

ALTER FUNCTION ve.drive_list() OWNER TO ve_owner;

CREATE FUNCTION ve.enrolment_ask(p_enrolment bytea, p_csr text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  n text;
begin
  update enrolment set csr = p_csr
    where token_hash = p_enrolment and expires_at > now() and (csr is null or csr = p_csr)
    returning node_id into n;
  if n is null then
    raise exception using errcode = 'VE021',
      message = 'this token is not known, too old, or used already: ask the operator for another';
  end if;
  perform pg_notify('ve_sign', n);
  return jsonb_build_object('node', n, 'state', 'waiting');
end
$$;

ALTER FUNCTION ve.enrolment_ask(p_enrolment bytea, p_csr text) OWNER TO ve_owner;

CREATE FUNCTION ve.enrolment_make(p_token bytea, p_id text, p_url text, p_capacity integer, p_enrolment bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
begin
  select * into who from session_require(p_token, true);
  if exists (select from node where id = p_id or url = p_url) then
    raise exception using errcode = 'VE018',
      message = 'there is, or was, a node of this name or address; a revoked node''s name is never used again';
  end if;
  delete from enrolment where node_id = p_id or expires_at <= now();
  if exists (select from enrolment where url = p_url and error is null) then
    raise exception using errcode = 'VE018',
      message = 'another node of this address has been given a token, which is good for an hour';
  end if;
  insert into enrolment (token_hash, node_id, url, capacity, made_by)
    values (p_enrolment, p_id, p_url, p_capacity, who.email);
  perform audit_add(who.email, 'node.invite', null, null,
    jsonb_build_object('node', p_id, 'url', p_url, 'capacity', p_capacity));
  return jsonb_build_object('id', p_id, 'seconds', 3600);
exception
  when check_violation then
    raise exception using errcode = 'VE017', message = 'name, address or capacity of the node is not valid';
end
$$;

ALTER FUNCTION ve.enrolment_make(p_token bytea, p_id text, p_url text, p_capacity integer, p_enrolment bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.enrolment_take(p_enrolment bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  e enrolment;
begin
  select * into e from enrolment where token_hash = p_enrolment and expires_at > now() for update;
  if not found then
    raise exception using errcode = 'VE021',
      message = 'this token is not known, too old, or used already: ask the operator for another';
  end if;
  if e.error is not null then
    return jsonb_build_object('node', e.node_id, 'state', 'refused', 'error', e.error);
  elsif e.certificate is null then
    return jsonb_build_object('node', e.node_id, 'state', 'waiting');
  end if;
  delete from enrolment where id = e.id;
  return (select jsonb_build_object('node', n.id, 'state', 'signed', 'certificate', e.certificate,
    'grant_key', encode(n.grant_key, 'hex')) from node n where n.id = e.node_id);
end
$$;

ALTER FUNCTION ve.enrolment_take(p_enrolment bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.gateway_grant(p_fingerprint text, p_veid integer, p_kind text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  k ssh_key;
  v ve;
begin
  if p_kind = 'port' then
    raise exception using errcode = 'VE017', message = 'a terminal is of kind tty or exec';
  end if;
  select v1.* into v from ssh_key k1 join subscriber p on p.id = k1.subscriber_id
      join ve v1 on v1.subscriber_id = p.id
    where k1.fingerprint = p_fingerprint and v1.veid = p_veid and v1.deleted_at is null
      and p.suspended_at is null;
  if not found then
    raise exception using errcode = 'VE005', message = 'there is no such environment';
  end if;
  if v.desired = 'stopped' then
    perform ve_wake(v.veid);
    select * into v from ve where veid = p_veid;
  end if;
  update ssh_key set used_at = now() where fingerprint = p_fingerprint returning * into k;
  return grant_make(v, 'k:' || k.id, p_kind) || jsonb_build_object('key', k.id);
end
$$;

ALTER FUNCTION ve.gateway_grant(p_fingerprint text, p_veid integer, p_kind text) OWNER TO ve_owner;

CREATE SEQUENCE ve.veid_seq
    AS integer
    START WITH 1000
    INCREMENT BY 1
    MINVALUE 1000
    NO MAXVALUE
    CACHE 1;

ALTER TABLE ve.veid_seq OWNER TO ve_owner;

CREATE TABLE ve.ve (
    veid integer DEFAULT nextval('ve.veid_seq'::regclass) NOT NULL,
    subscriber_id bigint NOT NULL,
    node_id text NOT NULL,
    template text NOT NULL,
    plan text NOT NULL,
    hostname text NOT NULL,
    ipv6 inet,
    desired ve.ve_desired DEFAULT 'running'::ve.ve_desired NOT NULL,
    suspended boolean DEFAULT false NOT NULL,
    generation integer DEFAULT 1 NOT NULL,
    state ve.ve_state DEFAULT 'absent'::ve.ve_state NOT NULL,
    state_suspended boolean DEFAULT false NOT NULL,
    state_generation integer DEFAULT 0 NOT NULL,
    state_ipv4 inet,
    state_error text,
    state_at timestamp with time zone,
    active_at timestamp with time zone,
    terminals integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    warned_at timestamp with time zone,
    expired_at timestamp with time zone,
    deleted_at timestamp with time zone,
    activity text,
    idle_at timestamp with time zone,
    waiting integer,
    frozen_at timestamp with time zone,
    frozen_warned boolean DEFAULT false NOT NULL,
    port integer DEFAULT 80 NOT NULL,
    stopped_at timestamp with time zone,
    stopped_warned boolean DEFAULT false NOT NULL,
    network cidr,
    waiting_s bigint,
    idle_warned boolean DEFAULT false NOT NULL,
    CONSTRAINT ve_activity_check CHECK ((length(activity) <= 200)),
    CONSTRAINT ve_deleted_check CHECK (((deleted_at IS NULL) OR (desired = 'deleted'::ve.ve_desired))),
    CONSTRAINT ve_generation_check CHECK ((generation > 0)),
    CONSTRAINT ve_hostname_check CHECK ((hostname ~ '^[a-z][a-z0-9-]{0,62}$'::text)),
    CONSTRAINT ve_port_check CHECK (((port >= 1) AND (port <= 65535))),
    CONSTRAINT ve_state_error_check CHECK ((length(state_error) <= 500))
);

ALTER TABLE ve.ve OWNER TO ve_owner;

CREATE FUNCTION ve.grant_make(v ve.ve, p_sub text, p_kind text) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 've', 'ext', 'pg_temp'
    AS $$
declare
  n node;
  payload bytea;
begin
  if p_kind not in ('tty', 'exec', 'port') then
    raise exception using errcode = 'VE017', message = 'a stream is of kind tty, exec or port';
  end if;
  if v.suspended then
    raise exception using errcode = 'VE007', message = 'the environment is suspended';
  end if;
  if v.desired = 'deleted' or v.deleted_at is not null then
    raise exception using errcode = 'VE005', message = 'there is no such environment';
  end if;
  if v.expires_at <= now() then
    raise exception using errcode = 'VE008', message = 'the trial is over: extend it first';
  end if;
  if v.desired = 'stopped' then
    raise exception using errcode = 'VE020', message = 'the environment is stopped';
  end if;
  select * into n from node where id = v.node_id;
  if n.state = 'revoked' then
    raise exception using errcode = 'VE023', message = 'the node of this environment is lost, and the environment with it';
  end if;
  -- who comes in takes back a sleep that was asked for and has not begun
  update job set state = 'superseded', finished_at = now()
    where veid = v.veid and kind = 'idle' and state = 'queued';
  payload := convert_to((jsonb_build_object('v', 1, 'veid', v.veid, 'node', n.id,
    'sub', p_sub, 'kind', p_kind, 'exp', extract(epoch from clock_timestamp())::bigint + 60,
    'nonce', encode(gen_random_bytes(16), 'hex'))
    || case p_kind when 'port' then jsonb_build_object('port', v.port) else '{}' end)::text, 'UTF8');
  return jsonb_build_object('node', n.id, 'url', n.url, 'veid', v.veid,
    'grant', base64url(payload) || '.' || base64url(hmac(payload, n.grant_key, 'sha256')));
end
$$;

ALTER FUNCTION ve.grant_make(v ve.ve, p_sub text, p_kind text) OWNER TO ve_owner;

CREATE FUNCTION ve.home_get(p_token bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
begin
  select * into who from session_require(p_token);
  return jsonb_build_object('email', who.email, 'operator', who.operator,
    'unconfirmed', (select jsonb_build_object('memory_bytes', p.memory_bytes, 'disk_bytes', p.disk_bytes,
        'days', extract(day from p.life), 'bounced', (select m.error from mail m
          where m.confirms = s.id and m.failed_at is not null and not exists (select from mail o
            where o.confirms = s.id and o.id > m.id) limit 1))
      from subscriber s, plan p where s.id = who.subscriber_id and s.confirmed_at is null
        and p.name = 'confirmed'),
    've', (select ve_json(v) from ve v
      where v.subscriber_id = who.subscriber_id and v.deleted_at is null),
    'queue', queue_json(who.subscriber_id),
    'keys', (select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'kind', k.kind,
        'fingerprint', k.fingerprint, 'comment', k.comment,
        'created_at', iso(k.created_at), 'used_at', iso(k.used_at)) order by k.id), '[]')
      from ssh_key k where k.subscriber_id = who.subscriber_id),
    'events', (select coalesce(jsonb_agg(e.row order by e.at desc), '[]') from (
      (select a.at, jsonb_build_object('at', iso(a.at), 'action', translate(a.action, '._', '  '),
          'actor', case when a.actor = who.email then 'you' else a.actor end) as row
        from audit a where a.subscriber_id = who.subscriber_id
        order by a.id desc limit 8)
      union all
      (select r.at, jsonb_build_object('at', iso(r.at), 'action', refusal_words(r), 'actor', 'its plan')
        from refusal r join ve v on v.veid = r.veid
        where v.subscriber_id = who.subscriber_id and v.deleted_at is null order by r.id desc limit 8)
      order by at desc limit 10) e));
end
$$;

ALTER FUNCTION ve.home_get(p_token bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.iso(t timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select to_char(t at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

ALTER FUNCTION ve.iso(t timestamp with time zone) OWNER TO ve_owner;

CREATE FUNCTION ve.job_add(p_veid integer, p_kind ve.job_kind, p_supersede boolean DEFAULT false) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  j bigint;
begin
  if p_supersede then
    update job set state = 'superseded', finished_at = now()
      where veid = p_veid and state in ('queued', 'running');
  end if;
  insert into job (veid, node_id, kind)
    select v.veid, v.node_id, p_kind from ve v where v.veid = p_veid
    returning id into j;
  return j;
exception when unique_violation then
  raise exception using errcode = 'VE006',
    message = 'the environment is busy with an earlier request';
end
$$;

ALTER FUNCTION ve.job_add(p_veid integer, p_kind ve.job_kind, p_supersede boolean) OWNER TO ve_owner;

CREATE FUNCTION ve.job_again(p_job bigint, p_attempt integer, p_delay integer, p_error text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  update job set state = 'queued', locked_until = null, stage = 'waiting to try again',
      error = left(p_error, 500), run_at = now() + p_delay * interval '1 millisecond'
    where id = p_job and attempts = p_attempt and state = 'running';
  return to_jsonb(found);
end
$$;

ALTER FUNCTION ve.job_again(p_job bigint, p_attempt integer, p_delay integer, p_error text) OWNER TO ve_owner;

CREATE FUNCTION ve.job_check_step() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  if old.state in ('done', 'failed', 'superseded') then
    raise exception using errcode = 'VE017',
      message = format('job %s is %s and stays so', old.id, old.state);
  end if;
  return new;
end
$$;

ALTER FUNCTION ve.job_check_step() OWNER TO ve_owner;

CREATE FUNCTION ve.job_claim(p_node text, p_seconds integer) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  select job_take(p_node, p_seconds, false)
$$;

ALTER FUNCTION ve.job_claim(p_node text, p_seconds integer) OWNER TO ve_owner;

CREATE FUNCTION ve.job_claim_urgent(p_node text, p_seconds integer) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  select job_take(p_node, p_seconds, true)
$$;

ALTER FUNCTION ve.job_claim_urgent(p_node text, p_seconds integer) OWNER TO ve_owner;

CREATE FUNCTION ve.job_endings() RETURNS ve.job_kind[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO 've', 'pg_temp'
    AS $$
  select array['stop', 'restart', 'reinstall', 'delete', 'suspend']::job_kind[]
$$;

ALTER FUNCTION ve.job_endings() OWNER TO ve_owner;

CREATE FUNCTION ve.job_finish(p_job bigint, p_attempt integer, p_error text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  j job;
begin
  update job set state = case when p_error is null then 'done' else 'failed' end::job_state,
      locked_until = null, stage = '', error = left(p_error, 500), finished_at = now()
    where id = p_job and attempts = p_attempt and state = 'running'
    returning * into j;
  if not found then
    return to_jsonb(false);
  end if;
  if j.kind = any(job_endings()) then
    perform pg_notify('ve_job', j.node_id); -- one that had to wait for it (job_take)
  end if;
  update ve set state_error = left(p_error, 500) where veid = j.veid;
  if p_error is not null then
    perform audit_add('job daemon', 'job.failed', v.subscriber_id, j.veid,
      jsonb_build_object('kind', j.kind, 'error', left(p_error, 500))) from ve v
      where v.veid = j.veid;
  elsif j.kind = 'delete' then
    update ve set deleted_at = now(), state = 'absent' where veid = j.veid and deleted_at is null;
    if found then
      update node set placed = placed - 1 where id = j.node_id;
    end if;
  end if;
  return to_jsonb(true);
end
$$;

ALTER FUNCTION ve.job_finish(p_job bigint, p_attempt integer, p_error text) OWNER TO ve_owner;

CREATE FUNCTION ve.job_get(p_token bytea, p_job bigint) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
  r jsonb;
begin
  select * into who from session_require(p_token);
  select jsonb_build_object('id', j.id, 'veid', j.veid, 'kind', j.kind, 'state', j.state,
      'stage', j.stage, 'error', j.error, 'created_at', iso(j.created_at),
      'finished_at', iso(j.finished_at)) into r
    from job j join ve v on v.veid = j.veid
    where j.id = p_job and (v.subscriber_id = who.subscriber_id or who.operator);
  if r is null then
    raise exception using errcode = 'VE014', message = 'there is no such operation';
  end if;
  return r;
end
$$;

ALTER FUNCTION ve.job_get(p_token bytea, p_job bigint) OWNER TO ve_owner;

CREATE FUNCTION ve.job_keep(p_job bigint, p_attempt integer, p_seconds integer, p_stage text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  update job set stage = left(p_stage, 100),
      locked_until = now() + p_seconds * interval '1 second'
    where id = p_job and attempts = p_attempt and state = 'running';
  return to_jsonb(found);
end
$$;

ALTER FUNCTION ve.job_keep(p_job bigint, p_attempt integer, p_seconds integer, p_stage text) OWNER TO ve_owner;

CREATE FUNCTION ve.job_take(p_node text, p_seconds integer, p_urgent boolean) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  endings constant job_kind[] := job_endings();
  j job;
  ending integer;
  suspending integer;
begin
  select count(*), count(*) filter (where kind = 'suspend') into ending, suspending from job
    where node_id = p_node and state = 'running' and locked_until >= now() and kind = any(endings);
  update job set state = 'running', attempts = attempts + 1,
      locked_until = now() + p_seconds * interval '1 second'
    where id = (
      select id from job
        where node_id = p_node and run_at <= now() and (kind = 'suspend' or not p_urgent)
          and (p_urgent or not (kind = any(endings) and ending >= 8 or kind = 'suspend' and suspending >= 4))
          and (state = 'queued' or (state = 'running' and locked_until < now()))
        order by kind <> 'suspend', run_at, id
        limit 1
        for update skip locked)
    returning * into j;
  if not found then
    return null;
  end if;
  return (select jsonb_build_object('id', j.id, 'key', j.key, 'veid', j.veid, 'kind', j.kind,
      'attempt', j.attempts, 'age', extract(epoch from now() - j.created_at)::integer,
      'suspended', v.suspended,
      'spec', jsonb_build_object('template', v.template, 'hostname', v.hostname,
        'desired', case v.desired when 'running' then 'running' else 'stopped' end,
        'generation', v.generation, 'ipv6', host(v.ipv6), 'network', v.network::text, 'egress', p.egress,
        'idle', jsonb_build_object('idle_after_s', extract(epoch from p.idle_after)::integer,
          'stop_after_s', extract(epoch from p.stop_after)::integer,
          'warn_s', extract(epoch from p.warn)::integer, 'busy_permille', p.busy,
          'archive_after_s', extract(epoch from p.archive_after)::integer,
          'lease_max_s', extract(epoch from p.lease_max)::integer),
        'limits', jsonb_build_object('memory_bytes', p.memory_bytes, 'processes', p.processes,
            'cpu_weight', p.cpu_weight, 'disk_bytes', p.disk_bytes)
          || (select coalesce(jsonb_object_agg(l.bean, jsonb_build_object('barrier', l.barrier, 'limit', l."limit")), '{}')
            from plan_bean l where l.plan = p.name),
        'cpu', jsonb_build_object('weight', p.cpu_weight, 'cap_percent', p.cpu_cap, 'cpus', p.cpus),
        'bandwidth', jsonb_build_object('up', jsonb_build_object('rate', p.up_rate, 'ceil', p.up_ceil),
          'down', jsonb_build_object('rate', p.down_rate, 'ceil', p.down_ceil)),
        'flows', jsonb_build_object('rate', p.flow_rate, 'burst', p.flow_burst))
      || case when p.io_weight is null then '{}' else jsonb_build_object('io_weight', p.io_weight) end)
    from ve v join plan p on p.name = v.plan where v.veid = j.veid);
end
$$;

ALTER FUNCTION ve.job_take(p_node text, p_seconds integer, p_urgent boolean) OWNER TO ve_owner;

CREATE FUNCTION ve.job_wake() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  perform pg_notify('ve_job', new.node_id);
  return null;
end
$$;

ALTER FUNCTION ve.job_wake() OWNER TO ve_owner;

CREATE FUNCTION ve.keep_link(p_mail bigint, p_keep bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  insert into keep (token_hash, veid)
    select p_keep, keeps from mail
      where id = p_mail and keeps is not null and sent_at is null and failed_at is null
$$;

ALTER FUNCTION ve.keep_link(p_mail bigint, p_keep bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.keep_take(p_keep bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  k keep;
  v ve;
  j jsonb;
begin
  delete from keep where token_hash = p_keep returning * into k;
  if k.token_hash is null or k.expires_at <= now() then
    raise exception using errcode = 'VE021',
      message = 'this link has been used, or it is too old: log in and look at the page of your environment';
  end if;
  select * into v from ve where veid = k.veid for update;
  j := ve_put_off(v, (select email from subscriber where id = v.subscriber_id));
  return jsonb_build_object('veid', k.veid, 'state', j -> 'state', 'expires_at', j -> 'expires_at');
end
$$;

ALTER FUNCTION ve.keep_take(p_keep bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.key_add(p_token bytea, p_kind text, p_blob text, p_fingerprint text, p_comment text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
  k bigint;
begin
  select * into who from session_require(p_token);
  perform from subscriber where id = who.subscriber_id for update;
  if (select count(*) from ssh_key where subscriber_id = who.subscriber_id) >= 20 then
    raise exception using errcode = 'VE013', message = 'twenty ssh keys are the limit';
  end if;
  insert into ssh_key (subscriber_id, kind, blob, fingerprint, comment)
    values (who.subscriber_id, p_kind, p_blob, p_fingerprint, p_comment)
    returning id into k;
  perform audit_add(who.email, 'key.add', who.subscriber_id, null,
    jsonb_build_object('fingerprint', p_fingerprint));
  return jsonb_build_object('id', k, 'fingerprint', p_fingerprint);
exception when unique_violation then
  raise exception using errcode = 'VE012', message = 'this ssh key is in use already';
end
$$;

ALTER FUNCTION ve.key_add(p_token bytea, p_kind text, p_blob text, p_fingerprint text, p_comment text) OWNER TO ve_owner;

CREATE FUNCTION ve.key_lookup(p_fingerprint text) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  select jsonb_build_object('key', k.id, 'veid', v.veid, 'kind', k.kind, 'blob', k.blob)
    from ssh_key k join subscriber p on p.id = k.subscriber_id
      join ve v on v.subscriber_id = p.id
    where k.fingerprint = p_fingerprint and p.suspended_at is null
      and v.deleted_at is null and v.desired <> 'deleted'
$$;

ALTER FUNCTION ve.key_lookup(p_fingerprint text) OWNER TO ve_owner;

CREATE FUNCTION ve.key_remove(p_token bytea, p_key bigint) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
  f text;
begin
  select * into who from session_require(p_token);
  delete from ssh_key where id = p_key and subscriber_id = who.subscriber_id
    returning fingerprint into f;
  if f is null then
    raise exception using errcode = 'VE014', message = 'there is no such ssh key';
  end if;
  perform audit_add(who.email, 'key.remove', who.subscriber_id, null,
    jsonb_build_object('fingerprint', f));
  return jsonb_build_object('fingerprint', f);
end
$$;

ALTER FUNCTION ve.key_remove(p_token bytea, p_key bigint) OWNER TO ve_owner;

CREATE FUNCTION ve.ladder_run() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  n integer;
begin
  with due as (
    select v.veid, v.subscriber_id, s.step, s.at from ve v join plan p on p.name = v.plan,
      lateral (
        select 'sleep' as step, v.idle_at as at, p.warn as ahead
          where v.state = 'running' and not v.idle_warned and p.warn >= interval '10 minutes'
        union all
        select 'stop', v.frozen_at + p.stop_after, least(interval '1 day', p.stop_after / 2)
          where v.state = 'frozen' and not v.frozen_warned and v.desired = 'running' and p.stop_after > interval '0'
        union all
        select 'archive', v.stopped_at + p.archive_after, least(interval '1 day', p.archive_after / 2)
          where v.state = 'stopped' and not v.stopped_warned and p.archive_after > interval '0') s
      where v.deleted_at is null and v.desired <> 'deleted' and not v.suspended
        and s.at < now() + s.ahead
      for update of v skip locked),
  marked as (
    update ve v set idle_warned = idle_warned or d.step = 'sleep', frozen_warned = frozen_warned or d.step = 'stop',
        stopped_warned = stopped_warned or d.step = 'archive'
      from due d where d.veid = v.veid),
  told as (
    insert into mail (recipient, subject, body, keeps)
      select s.email, format(case d.step when 'sleep' then 'Environment #%s goes to sleep soon'
            when 'stop' then 'Environment #%s is stopped soon'
            else 'Environment #%s is packed away soon' end, d.veid),
          format(case d.step when 'sleep'
              then E'Hello,\n\nnothing has happened in environment #%s for a while. At %s it goes to sleep: what runs in it stands still, and goes on when somebody comes.\n'
              when 'stop' then E'Hello,\n\nenvironment #%s is asleep. At %s it is stopped: what runs in it ends, every file stays.\n'
              else E'Hello,\n\nenvironment #%s is stopped. At %s it is packed away: every file stays, and its next start takes a moment longer.\n' end
            || E'To leave it as it is, open this link and press the button:\n\n{link}\n\n'
            || E'Or open its page, and do it there.\n', d.veid, iso(d.at)), d.veid
        from due d join subscriber s on s.id = d.subscriber_id
      returning 1)
  select count(*) into n from told;
  return to_jsonb(n);
end
$$;

ALTER FUNCTION ve.ladder_run() OWNER TO ve_owner;

CREATE FUNCTION ve.lease_alarm(p_node text, p_address inet, p_epoch bigint, p_veid integer, p_why text DEFAULT NULL::text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  if exists (select from audit where action = 'lease.alarm' and detail ->> 'node' = p_node
      and detail ->> 'address' = host(p_address) and detail ->> 'epoch' = p_epoch::text)
      or 1000 <= (select count(*) from audit where action = 'lease.alarm' and detail ->> 'node' = p_node
        and at > now() - interval '1 day') then
    return 0;
  end if;
  perform audit_add('job daemon', 'lease.alarm', null, p_veid, jsonb_strip_nulls(jsonb_build_object(
    'node', p_node, 'address', host(p_address), 'epoch', p_epoch, 'why', p_why)));
  return 1;
end
$$;

ALTER FUNCTION ve.lease_alarm(p_node text, p_address inet, p_epoch bigint, p_veid integer, p_why text) OWNER TO ve_owner;

CREATE FUNCTION ve.lease_close() RETURNS void
    LANGUAGE sql
    SET search_path TO 've', 'pg_temp'
    AS $$
  update lease l set during = tstzrange(lower(l.during),
      greatest(upper(b.term), lower(l.during) + interval '1 microsecond'))
    from block b where b.id = l.block_id and upper_inf(l.during) and upper(b.term) <= now()
$$;

ALTER FUNCTION ve.lease_close() OWNER TO ve_owner;

CREATE FUNCTION ve.line_look(p_people bigint[]) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  select coalesce(jsonb_object_agg(who.id, case when o.place is not null then
      jsonb_build_object('place', o.place, 'of', (select count(*) from queue),
        'template', o.template, 'since', iso(o.since),
        'minutes', (select greatest(1, ceil(o.place * p.seconds / 60)) from queue_pace p)) end), '{}')
    from unnest(p_people) who(id) left join queue_order o on o.subscriber_id = who.id
$$;

ALTER FUNCTION ve.line_look(p_people bigint[]) OWNER TO ve_owner;

CREATE FUNCTION ve.mail_claim() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  m mail;
begin
  update mail set attempts = attempts + 1,
      run_at = now() + least(power(2, attempts) * interval '1 minute', interval '6 hours')
    where id = (select id from mail where sent_at is null and failed_at is null and run_at <= now()
      order by run_at limit 1 for update skip locked)
    returning * into m;
  return (select jsonb_build_object('id', m.id, 'to', m.recipient, 'subject', m.subject,
    'body', m.body, 'confirms', m.confirms is not null, 'link', case when m.confirms is not null then 'confirm' when m.keeps is not null then 'keep' else '' end) where m.id is not null);
end
$$;

ALTER FUNCTION ve.mail_claim() OWNER TO ve_owner;

CREATE FUNCTION ve.mail_finish(p_mail bigint, p_error text, p_final boolean) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  update mail set error = left(p_error, 500),
      sent_at = case when p_error is null then now() end,
      failed_at = case when p_error is not null and (p_final or attempts >= 12) then now() end
    where id = p_mail
$$;

ALTER FUNCTION ve.mail_finish(p_mail bigint, p_error text, p_final boolean) OWNER TO ve_owner;

CREATE FUNCTION ve.network_of(address inet) RETURNS cidr
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select network(set_masklen(address, case family(address) when 4 then 24 else 64 end))
$$;

ALTER FUNCTION ve.network_of(address inet) OWNER TO ve_owner;

CREATE FUNCTION ve.node_act(p_token bytea, p_id text, p_action text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
  n node;
begin
  select * into who from session_require(p_token, true);
  if p_action not in ('drain', 'activate', 'revoke') then
    raise exception using errcode = 'VE017', message = 'there is no such action';
  end if;
  update node set state = case p_action when 'drain' then 'draining' when 'activate' then 'active'
      else 'revoked' end::node_state, revoked_at = case p_action when 'revoke' then now() end
    where id = p_id and state <> 'revoked' returning * into n;
  if not found then
    raise exception using errcode = 'VE014', message = 'there is no such node, or it is revoked';
  end if;
  if p_action = 'revoke' then
    update job set state = 'failed', error = 'the node was revoked', finished_at = now()
      where node_id = p_id and state in ('queued', 'running');
    perform pg_notify('ve_end', 've ' || veid || ' gone') from ve
      where node_id = p_id and deleted_at is null;
  end if;
  perform audit_add(who.email, 'node.' || p_action, null, null, jsonb_build_object('node', p_id));
  return jsonb_build_object('id', p_id, 'state', n.state);
end
$$;

ALTER FUNCTION ve.node_act(p_token bytea, p_id text, p_action text) OWNER TO ve_owner;

CREATE FUNCTION ve.node_fact(p_node text, p_facts jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  update node set facts = p_facts, seen_at = now() where id = p_node
$$;

ALTER FUNCTION ve.node_fact(p_node text, p_facts jsonb) OWNER TO ve_owner;

CREATE FUNCTION ve.node_install(p_id text, p_url text, p_grant_key text, p_capacity integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'ext', 'pg_temp'
    AS $$
begin
  insert into node (id, url, grant_key, capacity)
    values (p_id, p_url, decode(p_grant_key, 'hex'), p_capacity)
  on conflict (id) do update set url = excluded.url, grant_key = excluded.grant_key,
    capacity = excluded.capacity;
  perform audit_add('installation', 'node.enrol', null, null,
    jsonb_build_object('node', p_id, 'url', p_url, 'capacity', p_capacity));
end
$$;

ALTER FUNCTION ve.node_install(p_id text, p_url text, p_grant_key text, p_capacity integer) OWNER TO ve_owner;

CREATE FUNCTION ve.node_list(p_token bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  perform session_require(p_token, true);
  return (select coalesce(jsonb_agg(to_jsonb(n) order by n.id), '[]') from node_overview n
    where n.state <> 'revoked' or n.lost > 0 or n.blocks > 0);
end
$$;

ALTER FUNCTION ve.node_list(p_token bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.operator_create(p_email text, p_password_hash text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'ext', 'pg_temp'
    AS $$
declare
  s bigint;
begin
  insert into subscriber (email, role) values (p_email, 'operator')
    on conflict (email) do nothing returning id into s;
  if s is null then
    return to_jsonb(false);
  end if;
  insert into credential (subscriber_id, password_hash) values (s, p_password_hash);
  perform audit_add('installation', 'operator.create', s, null,
    jsonb_build_object('email', p_email));
  return to_jsonb(true);
end
$$;

ALTER FUNCTION ve.operator_create(p_email text, p_password_hash text) OWNER TO ve_owner;

CREATE FUNCTION ve.plan_apply(p_veids integer[]) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  n integer;
begin
  update ve set generation = generation + 1 where veid = any(p_veids);
  with made as (
    insert into job (veid, node_id, kind)
      select v.veid, v.node_id, 'apply' from ve v join node n on n.id = v.node_id
        where v.veid = any(p_veids) and n.state <> 'revoked' and not v.suspended
          and not exists (select from job j where j.veid = v.veid and j.state in ('queued', 'running'))
      on conflict do nothing
      returning 1)
  select count(*) into n from made;
  return n;
end
$$;

ALTER FUNCTION ve.plan_apply(p_veids integer[]) OWNER TO ve_owner;

CREATE FUNCTION ve.plan_bounds(p_name text, f jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  b bean;
  lo bigint;
  hi bigint;
begin
  for b in select * from bean where f ? name loop
    delete from plan_bean where plan = p_name and bean = b.name;
    continue when trim(f ->> b.name) = '';
    lo := amount_read(split_part(f ->> b.name, ':', 1), b.unit);
    hi := case when f ->> b.name like '%:%' then amount_read(substr(f ->> b.name, strpos(f ->> b.name, ':') + 1), b.unit) else lo end;
    if lo is null or hi is null then
      raise exception using errcode = 'VE017', message = format('%s is not an amount, such as 64, 64:80 or 128M', b.name);
    elsif lo > hi then
      raise exception using errcode = 'VE017', message = format('%s: the barrier %s is above the limit %s', b.name, lo, hi);
    end if;
    insert into plan_bean values (p_name, b.name, lo, hi);
  end loop;
end
$$;

ALTER FUNCTION ve.plan_bounds(p_name text, f jsonb) OWNER TO ve_owner;

CREATE FUNCTION ve.plan_get(p_token bytea, p_name text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  p plan;
begin
  perform session_require(p_token, true);
  select * into p from plan where name = p_name;
  if not found then
    raise exception using errcode = 'VE014', message = format('there is no plan %s', p_name);
  end if;
  return plan_json(p);
end
$$;

ALTER FUNCTION ve.plan_get(p_token bytea, p_name text) OWNER TO ve_owner;

CREATE TABLE ve.plan (
    name text NOT NULL,
    memory_bytes bigint NOT NULL,
    processes integer NOT NULL,
    cpu_weight integer NOT NULL,
    disk_bytes bigint NOT NULL,
    life interval NOT NULL,
    grace interval NOT NULL,
    egress boolean DEFAULT false NOT NULL,
    idle_after interval DEFAULT '00:15:00'::interval NOT NULL,
    stop_after interval DEFAULT '1 day'::interval NOT NULL,
    warn interval DEFAULT '00:02:00'::interval NOT NULL,
    title text DEFAULT ''::text NOT NULL,
    cpu_cap integer DEFAULT 0 NOT NULL,
    cpus integer DEFAULT 0 NOT NULL,
    up_rate bigint DEFAULT 0 NOT NULL,
    up_ceil bigint DEFAULT 0 NOT NULL,
    down_rate bigint DEFAULT 0 NOT NULL,
    down_ceil bigint DEFAULT 0 NOT NULL,
    flow_rate integer DEFAULT 0 NOT NULL,
    flow_burst integer DEFAULT 0 NOT NULL,
    io_weight integer,
    archive_after interval DEFAULT '00:00:00'::interval NOT NULL,
    lease_max interval DEFAULT '00:00:00'::interval NOT NULL,
    busy integer DEFAULT 20 NOT NULL,
    CONSTRAINT plan_archive_check CHECK ((((archive_after >= '00:00:00'::interval) AND (archive_after <= '1 year'::interval)) AND ((lease_max >= '00:00:00'::interval) AND (lease_max <= '1 year'::interval)))),
    CONSTRAINT plan_busy_check CHECK (((busy >= 1) AND (busy <= 1000))),
    CONSTRAINT plan_cpu_check CHECK ((((cpu_cap >= 0) AND (cpu_cap <= 409600)) AND ((cpus >= 0) AND (cpus <= 4096)))),
    CONSTRAINT plan_down_check CHECK ((((down_rate >= 0) AND (down_rate <= '1099511627776'::bigint)) AND ((down_ceil >= 0) AND (down_ceil <= '1099511627776'::bigint)) AND ((down_rate = 0) OR (down_rate >= 1000)) AND ((down_ceil = 0) OR (down_ceil >= GREATEST(down_rate, (1000)::bigint))))),
    CONSTRAINT plan_flow_check CHECK ((((flow_rate >= 0) AND (flow_rate <= 10000000)) AND ((flow_burst >= 0) AND (flow_burst <= 10000000)))),
    CONSTRAINT plan_idle_check CHECK (((idle_after >= '00:00:00'::interval) AND (stop_after >= '00:00:00'::interval) AND (warn >= '00:00:00'::interval))),
    CONSTRAINT plan_io_check CHECK (((io_weight >= 1) AND (io_weight <= 10000))),
    CONSTRAINT plan_life_check CHECK (((life > '00:00:00'::interval) AND (grace >= '00:00:00'::interval))),
    CONSTRAINT plan_limits_check CHECK (((memory_bytes >= 16777216) AND (processes >= 8) AND (disk_bytes >= 16777216) AND ((cpu_weight >= 1) AND (cpu_weight <= 10000)))),
    CONSTRAINT plan_most_check CHECK (((memory_bytes <= '1099511627776'::bigint) AND (processes <= 1000000) AND (disk_bytes <= '1125899906842624'::bigint) AND (life <= '100 years'::interval) AND (grace <= '100 years'::interval) AND (idle_after <= '1 year'::interval) AND (stop_after <= '1 year'::interval) AND (warn <= '1 day'::interval))),
    CONSTRAINT plan_name_check CHECK ((name ~ '^[a-z][a-z0-9-]{0,30}$'::text)),
    CONSTRAINT plan_title_check CHECK (((length(title) <= 60) AND (title !~ '[[:cntrl:]]'::text))),
    CONSTRAINT plan_up_check CHECK ((((up_rate >= 0) AND (up_rate <= '1099511627776'::bigint)) AND ((up_ceil >= 0) AND (up_ceil <= '1099511627776'::bigint)) AND ((up_rate = 0) OR (up_rate >= 1000)) AND ((up_ceil = 0) OR (up_ceil >= GREATEST(up_rate, (1000)::bigint)))))
);

ALTER TABLE ve.plan OWNER TO ve_owner;

CREATE FUNCTION ve.plan_json(p ve.plan) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 've', 'pg_temp'
    AS $$
  select jsonb_build_object('name', p.name, 'title', p.title, 'memory_bytes', p.memory_bytes,
      'processes', p.processes, 'disk_bytes', p.disk_bytes, 'egress', p.egress,
      'cpu', jsonb_build_object('weight', p.cpu_weight, 'cap_percent', p.cpu_cap, 'cpus', p.cpus),
      'bandwidth', jsonb_build_object('up', jsonb_build_object('rate', p.up_rate, 'ceil', p.up_ceil),
        'down', jsonb_build_object('rate', p.down_rate, 'ceil', p.down_ceil)),
      'flows', jsonb_build_object('rate', p.flow_rate, 'burst', p.flow_burst), 'io_weight', p.io_weight,
      'life', span(p.life), 'grace', span(p.grace), 'idle_after', span(p.idle_after),
      'stop_after', span(p.stop_after), 'archive_after', span(p.archive_after), 'warn', span(p.warn),
      'lease_max', span(p.lease_max), 'busy', p.busy,
      'limits', (select coalesce(jsonb_object_agg(l.bean, jsonb_build_object('barrier', l.barrier, 'limit', l."limit")), '{}')
        from plan_bean l where l.plan = p.name),
      'ves', (select count(*) from ve v where v.plan = p.name and v.deleted_at is null))
    || jsonb_build_object('form', jsonb_build_object('title', p.title,
      'memory', amount_write(p.memory_bytes, 'bytes'), 'processes', p.processes::text,
      'disk', amount_write(p.disk_bytes, 'bytes'), 'cpu_weight', p.cpu_weight::text, 'cpu_cap', p.cpu_cap::text,
      'cpus', p.cpus::text, 'up_rate', amount_write(p.up_rate, 'bytes'), 'up_ceil', amount_write(p.up_ceil, 'bytes'),
      'down_rate', amount_write(p.down_rate, 'bytes'), 'down_ceil', amount_write(p.down_ceil, 'bytes'),
      'flow_rate', p.flow_rate::text, 'flow_burst', p.flow_burst::text, 'io_weight', coalesce(p.io_weight::text, ''),
      'life', span(p.life), 'grace', span(p.grace), 'idle_after', span(p.idle_after), 'stop_after', span(p.stop_after),
      'archive_after', span(p.archive_after), 'lease_max', span(p.lease_max), 'busy', p.busy::text,
      'warn', span(p.warn), 'egress', case when p.egress then 'yes' else '' end))
    || jsonb_build_object('rows', (select jsonb_agg(jsonb_build_object('name', b.name, 'title', b.title, 'unit', b.unit,
        'value', case when l.bean is null then '' when l.barrier = l."limit" then amount_write(l.barrier, b.unit)
          else amount_write(l.barrier, b.unit) || ':' || amount_write(l."limit", b.unit) end) order by b.position)
      from bean b left join plan_bean l on l.plan = p.name and l.bean = b.name))
$$;

ALTER FUNCTION ve.plan_json(p ve.plan) OWNER TO ve_owner;

CREATE FUNCTION ve.plan_list(p_token bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  perform session_require(p_token, true);
  return (select coalesce(jsonb_agg(plan_json(p) order by p.memory_bytes, p.name), '[]') from plan p);
end
$$;

ALTER FUNCTION ve.plan_list(p_token bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.plan_read(p ve.plan, p_name text, f jsonb) RETURNS ve.plan
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  k text;
  n jsonb := '{}';
  v interval;
begin
  foreach k in array array['memory', 'disk', 'up_rate', 'up_ceil', 'down_rate', 'down_ceil', 'processes', 'cpu_weight', 'cpu_cap',
      'cpus', 'flow_rate', 'flow_burst', 'io_weight', 'busy'] loop
    n := n || jsonb_build_object(k, amount_read(f ->> k, case when k in ('memory', 'disk') or k like '%\_rate' or k like '%\_ceil'
      then 'bytes' else 'count' end));
    if n -> k = 'null' and not (k = 'io_weight' and f ->> k = '') then
      raise exception using errcode = 'VE017', message = format('%s is not an amount, such as 64 or 128M', replace(k, '_', ' '));
    end if;
  end loop;
  foreach k in array array['life', 'grace', 'idle_after', 'stop_after', 'archive_after', 'lease_max', 'warn'] loop
    begin
      v := (f ->> k)::interval;
    exception when others then
      raise exception using errcode = 'VE017', message = format('%s is not a time, such as 15 minutes or 7 days', replace(k, '_', ' '));
    end;
  end loop;
  p.name := p_name;
  p.title := f ->> 'title';
  p.memory_bytes := n ->> 'memory';
  p.disk_bytes := n ->> 'disk';
  p.processes := n ->> 'processes';
  p.cpu_weight := n ->> 'cpu_weight';
  p.cpu_cap := n ->> 'cpu_cap';
  p.cpus := n ->> 'cpus';
  p.up_rate := n ->> 'up_rate';
  p.up_ceil := n ->> 'up_ceil';
  p.down_rate := n ->> 'down_rate';
  p.down_ceil := n ->> 'down_ceil';
  p.flow_rate := n ->> 'flow_rate';
  p.flow_burst := n ->> 'flow_burst';
  p.io_weight := n ->> 'io_weight';
  p.busy := n ->> 'busy';
  p.life := f ->> 'life';
  p.grace := f ->> 'grace';
  p.idle_after := f ->> 'idle_after';
  p.stop_after := f ->> 'stop_after';
  p.archive_after := f ->> 'archive_after';
  p.lease_max := f ->> 'lease_max';
  p.warn := f ->> 'warn';
  p.egress := f ->> 'egress' = 'yes';
  return p;
exception when numeric_value_out_of_range then
  raise exception using errcode = 'VE017', message = 'a number is too large';
end
$$;

ALTER FUNCTION ve.plan_read(p ve.plan, p_name text, f jsonb) OWNER TO ve_owner;

CREATE FUNCTION ve.plan_save(p_token bytea, p_name text, p_form jsonb, p_new boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
  p plan;
  f jsonb;
begin
  select * into who from session_require(p_token, true);
  select * into p from plan where name = case when p_new then 'trial' else p_name end for update;
  if p_new and exists (select from plan where name = p_name) then
    raise exception using errcode = 'VE028', message = format('there is a plan %s already', p_name);
  elsif p.name is null then
    raise exception using errcode = 'VE014', message = format('there is no plan %s', p_name);
  end if;
  f := (plan_json(p) -> 'form') || case when p_new then jsonb_build_object('title', p_name) else '{}' end || p_form;
  p := plan_read(p, p_name, f);
  if p_new then
    insert into plan values (p.*);
    insert into plan_bean select p_name, bean, barrier, "limit" from plan_bean where plan = 'trial';
  else
    update plan set (title, memory_bytes, processes, cpu_weight, disk_bytes, life, grace, egress, idle_after, stop_after,
        warn, cpu_cap, cpus, up_rate, up_ceil, down_rate, down_ceil, flow_rate, flow_burst, io_weight,
        archive_after, lease_max, busy)
      = (p.title, p.memory_bytes, p.processes, p.cpu_weight, p.disk_bytes, p.life, p.grace, p.egress, p.idle_after, p.stop_after,
        p.warn, p.cpu_cap, p.cpus, p.up_rate, p.up_ceil, p.down_rate, p.down_ceil, p.flow_rate, p.flow_burst, p.io_weight,
        p.archive_after, p.lease_max, p.busy)
      where name = p_name;
  end if;
  perform plan_bounds(p_name, p_form);
  if not p_new then
    perform plan_apply(array(select veid from ve where plan = p_name and deleted_at is null and desired <> 'deleted'));
  end if;
  select * into p from plan where name = p_name;
  perform audit_add(who.email, case when p_new then 'plan.make' else 'plan.change' end, null, null,
    jsonb_build_object('plan', p_name) || p_form);
  return plan_json(p);
end
$$;

ALTER FUNCTION ve.plan_save(p_token bytea, p_name text, p_form jsonb, p_new boolean) OWNER TO ve_owner;

CREATE FUNCTION ve.pool_add(p_token bytea, p_range text, p_block_len integer, p_excluded text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
  r cidr;
  x cidr[];
begin
  select * into who from session_require(p_token, true);
  begin
    r := p_range::cidr;
  exception when others then
    raise exception using errcode = 'VE017', message = 'that is not a range of addresses, such as 192.0.2.0/24';
  end;
  begin
    x := array(select w::cidr from regexp_split_to_table(coalesce(p_excluded, ''), '[ ,]+') w where w <> '');
  exception when others then
    raise exception using errcode = 'VE017',
      message = 'an exclusion is not a range or an address, such as 192.0.2.1 or 192.0.2.0/30';
  end;
  return jsonb_build_object('id', pool_insert(who.email, r, p_block_len, x), 'range', r::text);
end
$$;

ALTER FUNCTION ve.pool_add(p_token bytea, p_range text, p_block_len integer, p_excluded text) OWNER TO ve_owner;

CREATE FUNCTION ve.pool_insert(p_actor text, p_range cidr, p_block_len integer, p_excluded cidr[]) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 've', 'ext', 'pg_temp'
    AS $$
declare
  p bigint;
begin
  if family(p_range) = 4 and p_block_len < masklen(p_range) then
    raise exception using errcode = 'VE017', message = format(
      'the pool %s is smaller than one block of /%s: take a longer block length or a larger range',
      p_range, p_block_len);
  end if;
  if exists (select from unnest(p_excluded) x where not x <<= p_range) then
    raise exception using errcode = 'VE017', message = format('the exclusion %s is not a part of the pool %s',
      (select x from unnest(p_excluded) x where not x <<= p_range limit 1), p_range);
  end if;
  if family(p_range) = 6 and exists (select from unnest(p_excluded) x where masklen(x) < 112
      and x && set_masklen(p_range, case family(p_range) when 6 then 97 else 32 end)) then
    raise exception using errcode = 'VE017', message = format(
      'environments get the first addresses of %s one after the other: an exclusion among them is of /112 or less', p_range);
  end if;
  insert into pool (range, block_len, excluded) values (p_range,
      case family(p_range) when 4 then coalesce(p_block_len, least(32, greatest(28, masklen(p_range))))
        else 128 end, p_excluded)
    returning id into p;
  perform audit_add(p_actor, 'pool.add', null, null,
    jsonb_build_object('range', p_range::text, 'excluded', p_excluded::text[]));
  return p;
exception
  when exclusion_violation then
    raise exception using errcode = 'VE016', message = format('the range %s overlaps with the pool %s', p_range,
      (select range from pool where range && p_range limit 1));
  when check_violation then
    raise exception using errcode = 'VE017',
      message = 'a pool is an IPv4 range of /8 to /32 or an IPv6 range of /16 to /96, its blocks at most 12 bits longer';
end
$$;

ALTER FUNCTION ve.pool_insert(p_actor text, p_range cidr, p_block_len integer, p_excluded cidr[]) OWNER TO ve_owner;

CREATE FUNCTION ve.pool_install(p_range cidr, p_block_len integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  if not exists (select from pool where range = p_range) then
    perform pool_insert('installation', p_range, p_block_len, '{}');
  end if;
end
$$;

ALTER FUNCTION ve.pool_install(p_range cidr, p_block_len integer) OWNER TO ve_owner;

CREATE FUNCTION ve.pool_list(p_token bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  perform session_require(p_token, true);
  return (select coalesce(jsonb_agg(to_jsonb(p) order by p.id), '[]') from pool_overview p);
end
$$;

ALTER FUNCTION ve.pool_list(p_token bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.port_grant(p_name text, p_address inet) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  v ve;
  awake boolean;
begin
  select * into v from ve where hostname = p_name and deleted_at is null;
  if not found then
    raise exception using errcode = 'VE005', message = 'there is no environment of this name';
  end if;
  awake := v.state = 'running';
  if not awake and v.desired = 'running' and not rate_take('wake', network_of(p_address)::text) then
    raise exception using errcode = 'VE003', message = 'too many environments were woken from your network';
  end if;
  return grant_make(v, 'v:' || network_of(p_address), 'port')
    || jsonb_build_object('port', v.port, 'awake', awake);
end
$$;

ALTER FUNCTION ve.port_grant(p_name text, p_address inet) OWNER TO ve_owner;

CREATE FUNCTION ve.queue_json(p_subscriber bigint) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 've', 'pg_temp'
    AS $$
  select case when exists (select from queue where subscriber_id = p_subscriber)
    then nullif(line_look(array[p_subscriber]) -> p_subscriber::text, 'null') end
$$;

ALTER FUNCTION ve.queue_json(p_subscriber bigint) OWNER TO ve_owner;

CREATE FUNCTION ve.queue_leave(p_token bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
begin
  select * into who from session_require(p_token);
  delete from queue where subscriber_id = who.subscriber_id;
  if not found then
    raise exception using errcode = 'VE014', message = 'you are in no line';
  end if;
  perform audit_add(who.email, 'queue.leave', who.subscriber_id, null);
  return jsonb_build_object('left', true);
end
$$;

ALTER FUNCTION ve.queue_leave(p_token bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.queue_run() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  o record;
  v integer;
  n integer := 0;
  said jsonb := '[]';
begin
  if not exists (select from queue) or not pg_try_advisory_xact_lock(7383142, 1) then
    return to_jsonb(n);
  end if;
  loop
    select q.*, s.email into o from queue_order q join subscriber s on s.id = q.subscriber_id
      where q.place = 1;
    exit when not found;
    begin
      v := ve_place(o.subscriber_id, o.template, o.network);
      delete from queue where id = o.id;
      if not found then
        raise exception using errcode = 'VE014';
      end if;
    exception
      when sqlstate 'VE002' then
        exit;
      when sqlstate 'VE007' or sqlstate 'VE014' then
        continue; -- suspended this moment, and passed over from now on; or has left
      when sqlstate 'VE004' or sqlstate 'VE009' then
        delete from queue where id = o.id;
        continue when not found;
        insert into mail (recipient, subject, body) values (o.email, 'You are no longer in the line',
          format(E'Hello,\n\nit was your turn, but %s. Log in to see what you have, or to choose anew.\n', sqlerrm));
        said := said || jsonb_build_object('what', 'queue.drop', 'who', o.subscriber_id,
          'detail', jsonb_build_object('template', o.template, 'why', sqlerrm));
        continue;
    end;
    n := n + 1;
    insert into queue_turn values (o.network, nextval('queue_served_seq'))
      on conflict on constraint queue_turn_pkey do update set served = excluded.served;
    insert into queue_pace (seconds) values (extract(epoch from now() - o.since))
      on conflict on constraint queue_pace_pkey do update set last_at = now(),
        seconds = queue_pace.seconds * 0.8 + 0.2 * extract(epoch from
          now() - greatest(queue_pace.last_at, o.since));
    insert into mail (recipient, subject, body) values (o.email, 'Your environment is ready',
      format(E'Hello,\n\nit was your turn: environment #%s is ready. Log in to use it.\n', v));
    said := said || jsonb_build_object('what', 've.create', 'who', o.subscriber_id, 'veid', v,
      'detail', jsonb_build_object('template', o.template, 'waited', extract(epoch from now() - o.since)::integer));
  end loop;
  -- last: who holds a person or a place in the line may wait for the log
  perform audit_add('line', i ->> 'what', (i ->> 'who')::bigint, (i ->> 'veid')::integer, i -> 'detail')
    from jsonb_array_elements(said) i;
  return to_jsonb(n);
end
$$;

ALTER FUNCTION ve.queue_run() OWNER TO ve_owner;

CREATE FUNCTION ve.queue_tell() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  perform pg_notify('ve_line', '');
  return null;
end
$$;

ALTER FUNCTION ve.queue_tell() OWNER TO ve_owner;

CREATE FUNCTION ve.rate_take(p_kind text, p_key text) RETURNS boolean
    LANGUAGE sql
    SET search_path TO 've', 'pg_temp'
    AS $$
  with rule as (select * from rate_rule where kind = p_kind)
  insert into rate as r (kind, key, since, taken)
    select kind, p_key, now(), 1 from rule
  on conflict on constraint rate_pkey do update set
    taken = case when r.since + (select per from rule) <= now() then 1 else r.taken + 1 end,
    since = case when r.since + (select per from rule) <= now() then now() else r.since end
  returning taken <= (select most from rule)
$$;

ALTER FUNCTION ve.rate_take(p_kind text, p_key text) OWNER TO ve_owner;

CREATE FUNCTION ve.refusal_add(p_node text, p_event bigint, p_data jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  v integer := p_data ->> 'veid';
  lo bigint := p_data ->> 'barrier';
  hi bigint := p_data ->> 'limit';
begin
  insert into refusal (veid, node_id, event_id, at, bean, held, bound, times, program)
    select v, p_node, p_event, coalesce((p_data ->> 'time')::timestamptz, now()), p_data ->> 'resource',
        (p_data ->> 'held')::bigint, case when (p_data ->> 'held')::bigint > lo then hi else lo end,
        greatest(coalesce((p_data ->> 'refused')::bigint, 1), 1),
        left(regexp_replace(coalesce(nullif(p_data ->> 'program', ''), '?'), '[[:cntrl:]]', '?', 'g'), 64)
      from ve e join bean b on b.name = p_data ->> 'resource'
      where e.veid = v and e.node_id = p_node and e.deleted_at is null
    on conflict do nothing;
  delete from refusal where veid = v and id <= (select id from refusal where veid = v order by id desc offset 50 limit 1);
end
$$;

ALTER FUNCTION ve.refusal_add(p_node text, p_event bigint, p_data jsonb) OWNER TO ve_owner;

CREATE FUNCTION ve.refusal_last(p_node text) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  select to_jsonb(event_id) from refusal where node_id = p_node order by id desc limit 1
$$;

ALTER FUNCTION ve.refusal_last(p_node text) OWNER TO ve_owner;

CREATE TABLE ve.refusal (
    id bigint NOT NULL,
    veid integer NOT NULL,
    node_id text NOT NULL,
    event_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    bean text NOT NULL,
    held bigint NOT NULL,
    bound bigint NOT NULL,
    times bigint NOT NULL,
    program text NOT NULL,
    CONSTRAINT refusal_program_check CHECK ((length(program) <= 64))
);

ALTER TABLE ve.refusal OWNER TO ve_owner;

CREATE FUNCTION ve.refusal_words(r ve.refusal) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 've', 'pg_temp'
    AS $$
  select format('%s refused in %s: %s %s of %s', b.act, r.program, b.title,
      case when amount_show(r.held, b.unit) = amount_show(r.bound, b.unit) or b.unit = 'count'
        then regexp_replace(amount_show(r.held, b.unit), ' .*', '') else amount_show(r.held, b.unit) end,
      coalesce(amount_show(r.bound, b.unit), 'no bound'))
      || case when r.times > 1 then format(' (%s times)', r.times) else '' end
    from bean b where b.name = r.bean
$$;

ALTER FUNCTION ve.refusal_words(r ve.refusal) OWNER TO ve_owner;

CREATE FUNCTION ve.session_check(p_session bigint, p_veid integer) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  select to_jsonb(case
    when v.suspended or p.suspended_at is not null then 'suspended'
    when v.deleted_at is not null or v.desired = 'deleted' then 'gone'
    when s.ended_at is not null or s.expires_at <= now() then 'ended'
    else 'ok' end)
  from session s join subscriber p on p.id = s.subscriber_id
    join ve v on v.subscriber_id = p.id
  where s.id = p_session and v.veid = p_veid
$$;

ALTER FUNCTION ve.session_check(p_session bigint, p_veid integer) OWNER TO ve_owner;

CREATE FUNCTION ve.session_end(p_token bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  s session;
begin
  update session set ended_at = now() where token_hash = p_token and ended_at is null
    returning * into s;
  if found then
    perform pg_notify('ve_end', 'session ' || s.id);
    perform audit_add(p.email, 'account.logout', p.id, null)
      from subscriber p where p.id = s.subscriber_id;
  end if;
end
$$;

ALTER FUNCTION ve.session_end(p_token bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.session_get(p_token bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
begin
  select * into who from session_require(p_token);
  return jsonb_build_object('session', who.session_id, 'subscriber', who.subscriber_id,
    'email', who.email, 'operator', who.operator, 'veid',
    (select v.veid from ve v where v.subscriber_id = who.subscriber_id and v.deleted_at is null));
exception when sqlstate 'VE010' then
  return null;
end
$$;

ALTER FUNCTION ve.session_get(p_token bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.session_require(p_token bytea, p_operator boolean DEFAULT false, OUT session_id bigint, OUT subscriber_id bigint, OUT email text, OUT operator boolean) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  select s.id, p.id, p.email, p.role = 'operator'
    into session_id, subscriber_id, email, operator
    from session s join subscriber p on p.id = s.subscriber_id
    where s.token_hash = p_token and s.ended_at is null and s.expires_at > now()
      and s.seen_at > now() - interval '24 hours' and p.suspended_at is null;
  if not found then
    raise exception using errcode = 'VE010', message = 'you are not logged in, or your session has ended';
  end if;
  if p_operator and not operator then
    raise exception using errcode = 'VE011', message = 'this is for operators';
  end if;
  update session s set seen_at = now()
    where s.id = session_id and s.seen_at < now() - interval '1 minute';
end
$$;

ALTER FUNCTION ve.session_require(p_token bytea, p_operator boolean, OUT session_id bigint, OUT subscriber_id bigint, OUT email text, OUT operator boolean) OWNER TO ve_owner;

CREATE FUNCTION ve.sign_claim() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  select jsonb_build_object('id', id, 'node', node_id, 'csr', csr) from enrolment
    where csr is not null and certificate is null and error is null and expires_at > now()
    order by id limit 1
$$;

ALTER FUNCTION ve.sign_claim() OWNER TO ve_owner;

CREATE FUNCTION ve.sign_finish(p_id bigint, p_certificate text, p_error text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'ext', 'pg_temp'
    AS $$
declare
  e enrolment;
begin
  update enrolment set certificate = p_certificate, error = left(p_error, 500)
    where id = p_id and certificate is null and error is null returning * into e;
  if not found or p_certificate is null then
    return;
  end if;
  begin
    insert into node (id, url, grant_key, capacity)
      values (e.node_id, e.url, gen_random_bytes(32), e.capacity);
  exception when unique_violation then
    update enrolment set certificate = null, error = 'there is a node of this name or address by now' where id = e.id;
    return;
  end;
  perform audit_add(e.made_by, 'node.enrol', null, null,
    jsonb_build_object('node', e.node_id, 'url', e.url, 'capacity', e.capacity));
  perform pg_notify('ve_job', e.node_id);
end
$$;

ALTER FUNCTION ve.sign_finish(p_id bigint, p_certificate text, p_error text) OWNER TO ve_owner;

CREATE FUNCTION ve.span(t interval) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "IntervalStyle" TO 'postgres_verbose'
    AS $$
  select substr(t::text, 3)
$$;

ALTER FUNCTION ve.span(t interval) OWNER TO ve_owner;

CREATE FUNCTION ve.subscriber_hold(p_subscriber bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  perform from subscriber where id = p_subscriber and suspended_at is null for no key update;
  if not found then
    raise exception using errcode = 'VE007', message = 'this account is suspended';
  end if;
end
$$;

ALTER FUNCTION ve.subscriber_hold(p_subscriber bigint) OWNER TO ve_owner;

CREATE FUNCTION ve.subscriber_list(p_token bytea, p_before bigint) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  perform session_require(p_token, true);
  return (select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'email', p.email,
        'role', p.role, 'operator', p.role = 'operator',
        'confirmed', p.confirmed_at is not null, 'suspended', p.suspended_at is not null, 'suspended_why', p.suspended_why,
        'created_at', iso(p.created_at),
        'veid', (select v.veid from ve v where v.subscriber_id = p.id and v.deleted_at is null),
        'sessions', (select count(*) from session s where s.subscriber_id = p.id
          and s.ended_at is null and s.expires_at > now())) order by p.id desc), '[]')
    from (select * from subscriber where id < coalesce(p_before, 9223372036854775807)
      order by id desc limit 50) p);
end
$$;

ALTER FUNCTION ve.subscriber_list(p_token bytea, p_before bigint) OWNER TO ve_owner;

CREATE FUNCTION ve.subscriber_suspend(p_token bytea, p_subscriber bigint, p_why text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
  p subscriber;
  v integer;
begin
  select * into who from session_require(p_token, true);
  select * into p from subscriber where id = p_subscriber and role = 'subscriber' for update;
  if not found then
    raise exception using errcode = 'VE014', message = 'there is no such subscriber';
  end if;
  update subscriber set suspended_at = coalesce(suspended_at, now()), suspended_why = p_why
    where id = p.id;
  update ve set suspended = true where subscriber_id = p.id and deleted_at is null
    returning veid into v;
  if v is not null then
    perform pg_notify('ve_end', 've ' || v || ' suspended');
    if exists (select from ve join node n on n.id = node_id
        where veid = v and desired <> 'deleted' and n.state <> 'revoked') then
      perform job_add(v, 'suspend', true);
    end if;
  end if;
  with ended as (
    update session set ended_at = now() where subscriber_id = p.id and ended_at is null
      returning id)
  select count(pg_notify('ve_end', 'session ' || id)) from ended into p.id;
  perform audit_add(who.email, 'subscriber.suspend', p_subscriber, v,
    jsonb_build_object('why', p_why));
  return jsonb_build_object('subscriber', p_subscriber, 'suspended', true);
end
$$;

ALTER FUNCTION ve.subscriber_suspend(p_token bytea, p_subscriber bigint, p_why text) OWNER TO ve_owner;

CREATE FUNCTION ve.subscriber_unsuspend(p_token bytea, p_subscriber bigint) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
  v integer;
begin
  select * into who from session_require(p_token, true);
  update subscriber set suspended_at = null, suspended_why = null
    where id = p_subscriber and role = 'subscriber';
  if not found then
    raise exception using errcode = 'VE014', message = 'there is no such subscriber';
  end if;
  update ve set suspended = false where subscriber_id = p_subscriber and deleted_at is null
    and suspended returning veid into v;
  if v is not null and exists (select from ve join node n on n.id = node_id
      where veid = v and desired <> 'deleted' and n.state <> 'revoked') then
    perform job_add(v, 'unsuspend', true);
  end if;
  perform audit_add(who.email, 'subscriber.unsuspend', p_subscriber, v);
  return jsonb_build_object('subscriber', p_subscriber, 'suspended', false);
end
$$;

ALTER FUNCTION ve.subscriber_unsuspend(p_token bytea, p_subscriber bigint) OWNER TO ve_owner;

CREATE FUNCTION ve.sweep_run() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  delete from ticket where expires_at <= now();
  delete from session where coalesce(ended_at, expires_at) < now() - interval '1 day'
    and not exists (select from ticket t where t.session_id = session.id);
  delete from rate where since < now() - interval '1 day';
  delete from job where finished_at < now() - interval '30 days';
  delete from mail where coalesce(sent_at, failed_at) < now() - interval '30 days';
  delete from enrolment where expires_at <= now();
  delete from usage_now u using ve v where v.veid = u.veid and v.deleted_at is not null;
  delete from usage_sample u using ve v where v.veid = u.veid and (v.deleted_at is not null or u.at < now() - interval '2 hours');
  delete from refusal r using ve v where v.veid = r.veid and v.deleted_at is not null;
  delete from confirmation where expires_at <= now();
  delete from keep where expires_at <= now();
  delete from lease where upper(during) < now() - interval '90 days';
$$;

ALTER FUNCTION ve.sweep_run() OWNER TO ve_owner;

CREATE FUNCTION ve.template_list() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  select coalesce(jsonb_agg(jsonb_build_object('name', name, 'title', title,
      'summary', summary, 'first', position = 1) order by position), '[]')
    from template where enabled
$$;

ALTER FUNCTION ve.template_list() OWNER TO ve_owner;

CREATE FUNCTION ve.terminal_grant(p_token bytea, p_veid integer, p_kind text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
  v ve;
begin
  select * into who from session_require(p_token);
  if p_kind = 'port' then
    raise exception using errcode = 'VE017', message = 'a terminal is of kind tty or exec';
  end if;
  select * into v from ve where veid = p_veid and subscriber_id = who.subscriber_id
    and deleted_at is null;
  if not found then
    raise exception using errcode = 'VE005', message = 'there is no such environment';
  end if;
  return grant_make(v, 's:' || who.session_id, p_kind)
    || jsonb_build_object('session', who.session_id);
end
$$;

ALTER FUNCTION ve.terminal_grant(p_token bytea, p_veid integer, p_kind text) OWNER TO ve_owner;

CREATE FUNCTION ve.ticket_create(p_token bytea, p_veid integer, p_ticket bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
  v ve;
begin
  select * into who from session_require(p_token);
  select * into v from ve where veid = p_veid and subscriber_id = who.subscriber_id
    and deleted_at is null;
  if not found then
    raise exception using errcode = 'VE005', message = 'there is no such environment';
  end if;
  if v.desired = 'stopped' then
    raise exception using errcode = 'VE020', message = 'the environment is stopped';
  end if;
  -- a node that has not heard of it yet has better to do than to say so
  if exists (select from job where veid = p_veid and kind = 'create' and state = 'queued') then
    raise exception using errcode = 'VE006', message = 'the environment is being made';
  end if;
  delete from ticket where expires_at <= now();
  if not rate_take('ticket', 'session ' || who.session_id)
      or (select count(*) from ticket where session_id = who.session_id) >= 16 then
    raise exception using errcode = 'VE003', message = 'too many terminals at once';
  end if;
  insert into ticket (token_hash, session_id, veid) values (p_ticket, who.session_id, p_veid);
  return jsonb_build_object('veid', p_veid, 'seconds', 30);
end
$$;

ALTER FUNCTION ve.ticket_create(p_token bytea, p_veid integer, p_ticket bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.ticket_redeem(p_token bytea, p_veid integer, p_ticket bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  t ticket;
begin
  delete from ticket where token_hash = p_ticket returning * into t;
  if t.token_hash is null or t.expires_at <= now() or t.veid <> p_veid
      or not exists (select from session s where s.id = t.session_id
        and s.token_hash = p_token) then
    return jsonb_build_object('refused', true);
  end if;
  return terminal_grant(p_token, p_veid, 'tty');
end
$$;

ALTER FUNCTION ve.ticket_redeem(p_token bytea, p_veid integer, p_ticket bytea) OWNER TO ve_owner;

CREATE FUNCTION ve.trial_run() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  r record;
  n integer := 0;
begin
  for r in
    select v.veid, v.subscriber_id, v.desired, v.expires_at, v.expired_at, v.warned_at, p.email,
        v.expires_at + l.grace <= now() as over
      from ve v join subscriber p on p.id = v.subscriber_id join plan l on l.name = v.plan
      where v.deleted_at is null and v.desired <> 'deleted'
        and not exists (select from node n where n.id = v.node_id and n.state = 'revoked')
        and v.expires_at < now() + interval '1 day'
        and (v.warned_at is null or (v.expires_at <= now() and v.expired_at is null)
          or v.expires_at + l.grace <= now())
      order by v.expires_at limit 100 for update of v skip locked
  loop
    n := n + 1;
    if r.over then
      update ve set desired = 'deleted', generation = generation + 1 where veid = r.veid;
      perform job_add(r.veid, 'delete', true);
      perform audit_add('trial', 've.delete', r.subscriber_id, r.veid);
    elsif r.expires_at <= now() then
      update ve set desired = 'stopped', generation = generation + 1, expired_at = now(),
        warned_at = coalesce(warned_at, now()) where veid = r.veid;
      if not exists (select from ve where veid = r.veid and suspended) then
        perform job_add(r.veid, 'stop', true);
      end if;
      perform pg_notify('ve_end', 've ' || r.veid || ' expired');
      perform audit_add('trial', 've.expire', r.subscriber_id, r.veid);
    else
      update ve set warned_at = now() where veid = r.veid;
      insert into mail (recipient, subject, body, keeps) values (r.email,
        format('Environment #%s stops in a day', r.veid),
        format(E'Hello,\n\nenvironment #%s stops at %s. To keep it, open this link and press the button:\n\n{link}\n',
          r.veid, iso(r.expires_at)), r.veid);
    end if;
  end loop;
  return to_jsonb(n);
end
$$;

ALTER FUNCTION ve.trial_run() OWNER TO ve_owner;

CREATE FUNCTION ve.usage_due(p_node text) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
  select coalesce(jsonb_agg(d.veid), '[]')
    from (select v.veid from ve v left join usage_now u on u.veid = v.veid
      where v.node_id = p_node and v.deleted_at is null and v.state = 'running'
        and coalesce(u.at <= now() - interval '55 seconds', true)
      order by u.at nulls first limit 25) d
$$;

ALTER FUNCTION ve.usage_due(p_node text) OWNER TO ve_owner;

CREATE FUNCTION ve.usage_get(p_token bytea, p_veid integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  return usage_json((ve_require(p_token, p_veid)).veid);
end
$$;

ALTER FUNCTION ve.usage_get(p_token bytea, p_veid integer) OWNER TO ve_owner;

CREATE FUNCTION ve.usage_json(p_veid integer) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 've', 'pg_temp'
    AS $$
  with u as (
    select n.at, coalesce(n.usage, '{}') as usage from (select p_veid) x
      left join usage_now n on n.veid = p_veid and n.at > now() - interval '1 hour'),
  s as (
    select b.name, min(h.held) as low, max(h.held) as high, count(*) as minutes,
        jsonb_agg(h.held order by h.at) as samples,
        string_agg(format('%s,%s', round(60 - extract(epoch from now() - h.at) / 60, 1),
          round(15 - 14.0 * h.held / greatest(h.top, 1), 1)), ' ' order by h.at) as points
      from bean b, lateral (select m.at, m.held[b.position] as held, max(m.held[b.position]) over () as top
        from usage_sample m where m.veid = p_veid and m.at > now() - interval '1 hour') h
      group by b.name),
  r as (
    select b.*, (u.usage #>> array[b.name, 'held'])::bigint as held,
        (u.usage #>> array[b.name, 'maxheld'])::bigint as maxheld,
        coalesce((u.usage #>> array[b.name, 'barrier'])::bigint, l.barrier) as barrier,
        coalesce((u.usage #>> array[b.name, 'limit'])::bigint, l."limit") as bound,
        coalesce((u.usage #>> array[b.name, 'failcnt'])::bigint, 0) as failcnt
      from u, ve v, bean b
        left join ve w on w.veid = p_veid left join plan_bean l on l.plan = w.plan and l.bean = b.name
      where v.veid = p_veid)
  select jsonb_build_object('at', iso(u.at), 'counted', u.usage <> '{}',
      'net', case when u.usage ? 'net' then jsonb_build_object('sent_bytes', u.usage #> '{net,tx_bytes}',
        'received_bytes', u.usage #> '{net,rx_bytes}', 'flows_braked', u.usage #> '{net,flows_braked}') end,
      'rows', (select jsonb_agg(jsonb_build_object('name', r.name, 'title', r.title, 'unit', r.unit, 'kind', r.kind,
          'held', r.held, 'maxheld', r.maxheld, 'barrier', r.barrier, 'limit', r.bound, 'refused', r.failcnt,
          'used', amount_show(r.held, r.unit),
          'bound', amount_show(case r.kind when 'guarantee' then nullif(r.barrier, 0) when 'reclaim' then r.bound
            else r.barrier end, r.unit),
          'most', case when r.kind = 'refuse' and r.barrier < r.bound then amount_show(r.bound, r.unit) end,
          'hour', case when s.minutes > 1 then case when s.low = s.high then 'steady' else
            amount_show(s.low, r.unit) || ' to ' || amount_show(s.high, r.unit) end end,
          'samples', coalesce(s.samples, '[]'), 'points', case when s.minutes > 1 then s.points end) order by r.position)
        from r left join s on s.name = r.name),
      'refusals', (select coalesce(jsonb_agg(jsonb_build_object('at', iso(f.at), 'words', refusal_words(f)) order by f.id desc), '[]')
        from (select * from refusal where veid = p_veid order by id desc limit 10) f))
    from u
$$;

ALTER FUNCTION ve.usage_json(p_veid integer) OWNER TO ve_owner;

CREATE FUNCTION ve.usage_take(p_node text, p_veid integer, p_usage jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  perform from ve where veid = p_veid and node_id = p_node and deleted_at is null for key share;
  if not found then
    return;
  end if;
  p_usage := nullif(p_usage, 'null');
  insert into usage_now values (p_veid, now(), p_usage)
    on conflict (veid) do update set at = excluded.at, usage = excluded.usage;
  if p_usage is null then
    return;
  end if;
  insert into usage_sample
    select p_veid, extract(minute from now())::integer, now(),
      array_agg(coalesce((p_usage #>> array[name, 'held'])::bigint, 0) order by position) from bean
    on conflict (veid, slot) do update set at = excluded.at, held = excluded.held;
end
$$;

ALTER FUNCTION ve.usage_take(p_node text, p_veid integer, p_usage jsonb) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_act(p_token bytea, p_veid integer, p_action text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  v ve;
  who record;
  j bigint;
begin
  v := ve_require(p_token, p_veid);
  select * into who from session_require(p_token);
  if p_action not in ('start', 'stop', 'restart', 'reinstall', 'delete', 'wake', 'idle', 'stay') then
    raise exception using errcode = 'VE017', message = 'there is no such action';
  end if;
  if exists (select from node where id = v.node_id and state = 'revoked') then
    return ve_lose(v, who.email, p_action);
  end if;
  if v.desired = 'deleted' then
    raise exception using errcode = 'VE006', message = 'the environment is being deleted';
  end if;
  if v.suspended and p_action <> 'delete' then
    raise exception using errcode = 'VE007', message = 'the environment is suspended';
  end if;
  if v.expires_at <= now() and p_action in ('start', 'restart', 'reinstall', 'wake') then
    raise exception using errcode = 'VE008', message = 'the trial is over: extend it first';
  end if;
  if p_action in ('wake', 'idle', 'stay') and v.desired <> 'running' then
    raise exception using errcode = 'VE020', message = 'the environment is stopped';
  end if;
  update ve set generation = generation + (p_action not in ('wake', 'idle', 'stay'))::integer, state_error = null, desired = case p_action
      when 'stop' then 'stopped' when 'delete' then 'deleted' else 'running' end::ve_desired
    where veid = p_veid;
  j := job_add(p_veid, p_action::job_kind, p_action = 'delete');
  if p_action = 'delete' then
    perform pg_notify('ve_end', 've ' || p_veid || ' gone');
  end if;
  perform audit_add(who.email, 've.' || p_action, v.subscriber_id, p_veid);
  return jsonb_build_object('veid', p_veid, 'job', j, 'action', p_action);
end
$$;

ALTER FUNCTION ve.ve_act(p_token bytea, p_veid integer, p_action text) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_create(p_token bytea, p_template text, p_address inet) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
  v integer;
begin
  select * into who from session_require(p_token);
  if who.operator then
    raise exception using errcode = 'VE009', message = 'an operator account has no environment';
  end if;
  v := ve_open(who.subscriber_id, p_template, p_address);
  perform audit_add(who.email, case when v is null then 'queue.join' else 've.create' end,
    who.subscriber_id, v, jsonb_build_object('template', p_template));
  return jsonb_build_object('veid', v, 'queue', queue_json(who.subscriber_id));
end
$$;

ALTER FUNCTION ve.ve_create(p_token bytea, p_template text, p_address inet) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_extend(p_token bytea, p_veid integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  v ve;
  who record;
begin
  v := ve_require(p_token, p_veid);
  select * into who from session_require(p_token);
  if v.desired = 'deleted' then
    raise exception using errcode = 'VE006', message = 'the environment is being deleted';
  end if;
  update ve set expires_at = now() + p.life, warned_at = null, expired_at = null
    from plan p where p.name = ve.plan and veid = p_veid
    returning ve.* into v;
  perform audit_add(who.email, 've.extend', v.subscriber_id, p_veid);
  return ve_json(v);
end
$$;

ALTER FUNCTION ve.ve_extend(p_token bytea, p_veid integer) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_get(p_token bytea, p_veid integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  return ve_json(ve_require(p_token, p_veid));
end
$$;

ALTER FUNCTION ve.ve_get(p_token bytea, p_veid integer) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_json(v ve.ve) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 've', 'pg_temp'
    AS $$
  select jsonb_build_object(
    'veid', v.veid, 'hostname', v.hostname, 'port', v.port, 'template', v.template,
    'template_title', t.title, 'node', v.node_id, 'plan', v.plan, 'plan_title', p.title,
    'desired', v.desired, 'suspended', v.suspended,
    'state', case when n.state = 'revoked' then 'lost'
                  when v.desired = 'deleted' then 'deleting'
                  when v.suspended then 'suspended'
                  when l.kind = 'stop' then 'stopping'
                  when l.kind in ('create', 'start', 'restart', 'reinstall', 'wake') then 'starting'
                  when v.state = 'absent' and v.desired = 'running' then 'starting'
                  else v.state::text end,
    'error', v.state_error, 'terminals', v.terminals,
    'ipv4', host(v.state_ipv4), 'ipv6', host(v.ipv6),
    'memory_bytes', p.memory_bytes, 'processes', p.processes, 'disk_bytes', p.disk_bytes,
    'created_at', iso(v.created_at), 'expires_at', iso(v.expires_at),
    'expired', v.expires_at <= now(), 'delete_at', iso(v.expires_at + p.grace),
    'active_at', iso(v.active_at), 'activity', v.activity, 'idle_at', iso(v.idle_at),
    'waiting', v.waiting, 'waiting_minutes', ceil(v.waiting_s / 60.0),
    'stop_at', case when v.state = 'frozen' and p.stop_after > interval '0'
      then iso(v.frozen_at + p.stop_after) end,
    'archive_at', case when v.state = 'stopped' and p.archive_after > interval '0'
      then iso(v.stopped_at + p.archive_after) end,
    'soon', ve_soon(v, p),
    'job', (select jsonb_build_object('id', j.id, 'kind', j.kind, 'state', j.state,
        'stage', j.stage, 'error', j.error)
      from job j where j.veid = v.veid order by j.id desc limit 1))
  from template t, node n, plan p
    left join job l on l.veid = v.veid and l.state in ('queued', 'running')
    where t.name = v.template and n.id = v.node_id and p.name = v.plan
$$;

ALTER FUNCTION ve.ve_json(v ve.ve) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_keep(p_token bytea, p_veid integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  return ve_put_off(ve_require(p_token, p_veid), (session_require(p_token)).email);
end
$$;

ALTER FUNCTION ve.ve_keep(p_token bytea, p_veid integer) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_list(p_token bytea, p_before integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  perform session_require(p_token, true);
  return (select coalesce(jsonb_agg(ve_json(v) || jsonb_build_object('email', p.email,
        'subscriber', p.id, 'plans', (select jsonb_agg(jsonb_build_object('name', l.name, 'title', l.title,
          'chosen', l.name = v.plan) order by l.memory_bytes, l.name) from plan l)) order by v.veid desc), '[]')
    from (select * from ve where deleted_at is null and veid < coalesce(p_before, 2147483647)
      order by veid desc limit 50) v join subscriber p on p.id = v.subscriber_id);
end
$$;

ALTER FUNCTION ve.ve_list(p_token bytea, p_before integer) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_lose(v ve.ve, p_actor text, p_action text) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  if p_action <> 'delete' then
    raise exception using errcode = 'VE023',
      message = 'the node of this environment is lost, and the environment with it: delete it and open another';
  end if;
  update ve set desired = 'deleted', deleted_at = now(), state = 'absent', state_ipv4 = null,
    generation = generation + 1 where veid = v.veid;
  update node set placed = placed - 1 where id = v.node_id;
  perform audit_add(p_actor, 've.delete', v.subscriber_id, v.veid);
  return jsonb_build_object('veid', v.veid, 'action', p_action);
end
$$;

ALTER FUNCTION ve.ve_lose(v ve.ve, p_actor text, p_action text) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_observe(p_node text, p_items jsonb, p_complete boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  made integer := 0;
  there integer[];
  f record;
begin
  update ve v set state = o.state, state_suspended = o.suspended, state_generation = o.generation,
      state_ipv4 = o.ipv4, terminals = o.terminals, state_at = now(),
      activity = o.activity, idle_at = o.idle_at, waiting = o.waiting, waiting_s = o.waiting_s,
      idle_warned = v.idle_warned and coalesce(o.idle_at <= v.idle_at + interval '5 seconds', false),
      frozen_at = case when o.state <> 'frozen' then null else coalesce(v.frozen_at, now()) end,
      frozen_warned = v.frozen_warned and o.state = 'frozen',
      stopped_at = case when o.state <> 'stopped' then null else coalesce(v.stopped_at, now()) end,
      stopped_warned = v.stopped_warned and o.state = 'stopped',
      active_at = case when o.state = 'running' then now() else v.active_at end,
      state_error = case when o.state = 'failed' then coalesce(o.error, v.state_error)
        when v.state <> 'failed' then v.state_error end
    from (select (i ->> 'veid')::integer as veid,
        (i #>> '{status,state}')::ve_state as state,
        coalesce((i #>> '{status,suspended}')::boolean, false) as suspended,
        coalesce((i #>> '{status,observed_generation}')::integer, 0) as generation,
        (select a from (select (i #>> '{status,ipv4}')::inet) x(a) where masklen(a) = 32
          and exists (select from block b where b.node_id = p_node and b.term @> now() and a <<= b.range)) as ipv4,
        left(i #>> '{status,activity}', 200) as activity,
        (i #>> '{status,idle_at}')::timestamptz as idle_at,
        (i #>> '{status,waiting}')::integer as waiting,
        (i #>> '{status,waiting_s}')::bigint as waiting_s,
        coalesce((i #>> '{status,terminals}')::integer, 0) as terminals,
        left(i #>> '{status,error}', 500) as error
      from jsonb_array_elements(p_items) i) o
    where v.veid = o.veid and v.node_id = p_node and v.deleted_at is null
      and (v.state, v.state_suspended, v.state_generation, v.state_ipv4, v.terminals, v.activity,
          v.idle_at, v.waiting, v.waiting_s, case when o.state = 'failed' then v.state_error end)
        is distinct from (o.state, o.suspended, o.generation, o.ipv4, o.terminals, o.activity,
          o.idle_at, o.waiting, o.waiting_s, case when o.state = 'failed' then coalesce(o.error, v.state_error) end);
  if not p_complete then
    return to_jsonb(made);
  end if;
  select coalesce(array_agg((i ->> 'veid')::integer), '{}') into there
    from jsonb_array_elements(p_items) i where i ->> 'veid' is not null;
  update ve v set state = 'absent', state_ipv4 = null, terminals = 0, activity = null,
      idle_at = null, waiting = null, waiting_s = null, state_at = now()
    where v.node_id = p_node and v.deleted_at is null and v.state <> 'absent'
      and v.veid <> all(there);
  for f in
    select v.veid, case when v.desired = 'deleted' or v.deleted_at is not null then 'delete'
        when v.suspended <> v.state_suspended and v.state <> 'absent' then
          case when v.suspended then 'suspend' else 'unsuspend' end
        when v.state = 'absent' and not v.suspended then 'create'
        when v.desired = 'stopped' and v.state in ('running', 'frozen') then 'stop'
        when v.state in ('running', 'frozen', 'stopped', 'archived') and v.state_generation < v.generation
          then 'apply' end::job_kind as kind
      from ve v where v.node_id = p_node
        and (v.deleted_at is null or v.veid = any(there))
        and not exists (select from job j where j.veid = v.veid and j.state in ('queued', 'running'))
        and not exists (select from job j where j.veid = v.veid and j.finished_at > now() - interval '30 seconds')
  loop
    if f.kind is not null then
      perform job_add(f.veid, f.kind);
      made := made + 1;
    end if;
  end loop;
  return to_jsonb(made);
end
$$;

ALTER FUNCTION ve.ve_observe(p_node text, p_items jsonb, p_complete boolean) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_open(p_subscriber bigint, p_template text, p_address inet) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  perform subscriber_hold(p_subscriber);
  if not exists (select from queue_order) then
    begin
      return ve_place(p_subscriber, p_template, network_of(p_address));
    exception when sqlstate 'VE002' then
      null;
    end;
  end if;
  if not exists (select from template where name = p_template and enabled) then
    raise exception using errcode = 'VE004', message = 'there is no such template';
  end if;
  insert into queue (subscriber_id, template, network)
    values (p_subscriber, p_template, network_of(p_address));
  if exists (select from ve where subscriber_id = p_subscriber and deleted_at is null) then
    raise exception using errcode = 'VE009', message = 'you have an environment already';
  end if;
  return null;
exception when unique_violation then
  raise exception using errcode = 'VE009', message = 'you are in the line already';
end
$$;

ALTER FUNCTION ve.ve_open(p_subscriber bigint, p_template text, p_address inet) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_place(p_subscriber bigint, p_template text, p_network cidr) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 've', 'ext', 'pg_temp'
    AS $$
declare
  n text;
  v integer;
  p pool;
  a inet;
begin
  perform subscriber_hold(p_subscriber);
  if not exists (select from template where name = p_template and enabled) then
    raise exception using errcode = 'VE004', message = 'there is no such template';
  end if;
  update node set placed = placed + 1 where id = (
      select id from node
        where state = 'active' and placed < capacity and seen_at > now() - interval '60 seconds'
        order by placed::float / capacity, id limit 1 for update)
    and placed < capacity
    returning id into n;
  if n is null then
    raise exception using errcode = 'VE002', message = 'every place is taken at the moment';
  end if;
  select * into p from pool where family(range) = 6 order by id limit 1;
  for i in 0..100000 loop
    v := nextval('veid_seq');
    a := set_masklen(network(p.range)::inet + v::bigint, 128);
    exit when not exists (select from unnest(p.excluded) x where a <<= x);
    if i = 100000 then -- the next attempt goes on from here
      raise exception using errcode = 'VE002', message = 'every place is taken at the moment';
    end if;
  end loop;
  insert into ve (veid, subscriber_id, node_id, template, plan, hostname, ipv6, network, expires_at)
    select v, p_subscriber, n, p_template, l.name, 've' || v, a, p_network, now() + l.life
      from plan l where l.name = (select case when s.confirmed_at is null then 'trial'
        else 'confirmed' end from subscriber s where s.id = p_subscriber);
  perform job_add(v, 'create');
  return v;
exception when unique_violation then
  raise exception using errcode = 'VE009', message = 'you have an environment already';
end
$$;

ALTER FUNCTION ve.ve_place(p_subscriber bigint, p_template text, p_network cidr) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_plan(p_token bytea, p_veid integer, p_plan text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
  v ve;
begin
  select * into who from session_require(p_token, true);
  v := ve_require(p_token, p_veid);
  if not exists (select from plan where name = p_plan) then
    raise exception using errcode = 'VE014', message = format('there is no plan %s', p_plan);
  end if;
  if v.desired = 'deleted' then
    raise exception using errcode = 'VE006', message = 'the environment is being deleted';
  end if;
  update ve set plan = p_plan, expires_at = greatest(expires_at, now() + p.life), warned_at = null, expired_at = null
    from plan p where p.name = p_plan and veid = p_veid;
  perform plan_apply(array[p_veid]);
  perform audit_add(who.email, 've.plan', v.subscriber_id, p_veid, jsonb_build_object('plan', p_plan));
  select * into v from ve where veid = p_veid;
  return ve_json(v);
end
$$;

ALTER FUNCTION ve.ve_plan(p_token bytea, p_veid integer, p_plan text) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_put_off(v ve.ve, p_actor text) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  p plan;
begin
  if v.desired = 'deleted' or v.deleted_at is not null then
    raise exception using errcode = 'VE006', message = 'the environment is being deleted';
  end if;
  if v.suspended then
    raise exception using errcode = 'VE007', message = 'the environment is suspended';
  end if;
  if exists (select from node where id = v.node_id and state = 'revoked') then
    raise exception using errcode = 'VE023', message = 'the node of this environment is lost, and the environment with it';
  end if;
  select * into p from plan where name = v.plan;
  update ve set frozen_warned = false, stopped_warned = false,
      frozen_at = case when v.state = 'frozen' then now() end,
      stopped_at = case when v.state = 'stopped' then now() end,
      expires_at = case when v.expires_at < now() + interval '1 day' then now() + p.life else v.expires_at end,
      warned_at = case when v.expires_at < now() + interval '1 day' then null else v.warned_at end,
      expired_at = case when v.expires_at < now() + interval '1 day' then null else v.expired_at end
    where veid = v.veid returning * into v;
  if v.state in ('running', 'frozen', 'stopped')
      and not exists (select from job where veid = v.veid and state in ('queued', 'running')
        and kind not in ('apply', 'idle')) then
    perform job_add(v.veid, 'stay', true);
  end if;
  perform audit_add(p_actor, 've.keep', v.subscriber_id, v.veid);
  return ve_json(v);
end
$$;

ALTER FUNCTION ve.ve_put_off(v ve.ve, p_actor text) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_rename(p_token bytea, p_veid integer, p_name text, p_port integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $_$
declare
  v ve;
  who record;
begin
  v := ve_require(p_token, p_veid);
  select * into who from session_require(p_token);
  if p_name !~ '^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$' or p_name ~ '^..--' then
    raise exception using errcode = 'VE017',
      message = 'a name is letters, digits and hyphens, at most 63, begins with a letter and ends with none of the hyphens';
  end if;
  if exists (select from reserved_name where name = p_name)
      or (p_name ~ '^ve[0-9]+$' and p_name <> 've' || p_veid) then
    raise exception using errcode = 'VE024', message = format('the name %s is reserved', p_name);
  end if;
  update ve set hostname = p_name, port = coalesce(p_port, port), generation = generation + 1 where veid = p_veid
    returning * into v;
  if not exists (select from job where veid = p_veid and state in ('queued', 'running')) then
    perform job_add(p_veid, 'apply');
  end if;
  perform audit_add(who.email, 've.rename', v.subscriber_id, p_veid, jsonb_build_object('name', p_name, 'port', v.port));
  return ve_json(v);
exception when check_violation then
  raise exception using errcode = 'VE017', message = 'a port is a number from 1 to 65535';
when unique_violation then
  raise exception using errcode = 'VE025', message = format('the name %s is taken', p_name);
end
$_$;

ALTER FUNCTION ve.ve_rename(p_token bytea, p_veid integer, p_name text, p_port integer) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_require(p_token bytea, p_veid integer) RETURNS ve.ve
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  who record;
  v ve;
begin
  select * into who from session_require(p_token);
  select * into v from ve where veid = p_veid and deleted_at is null
    and (subscriber_id = who.subscriber_id or who.operator)
    for update;
  if not found then
    raise exception using errcode = 'VE005', message = 'there is no such environment';
  end if;
  return v;
end
$$;

ALTER FUNCTION ve.ve_require(p_token bytea, p_veid integer) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_soon(v ve.ve, p ve.plan) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 've', 'pg_temp'
    AS $$
  select jsonb_build_object('what', s.what, 'at', iso(s.at)) from (
    select 'sleep' as what, v.idle_at as at, p.warn as ahead where v.state = 'running'
    union all
    select 'stop', v.frozen_at + p.stop_after, least(interval '1 day', p.stop_after / 2)
      where v.state = 'frozen' and p.stop_after > interval '0'
    union all
    select 'archive', v.stopped_at + p.archive_after, least(interval '1 day', p.archive_after / 2)
      where v.state = 'stopped' and p.archive_after > interval '0'
    union all
    select 'end', v.expires_at, least(interval '1 day', p.life / 2) where v.expires_at > now()) s
  where s.at - s.ahead <= now() and not v.suspended and v.desired <> 'deleted'
  order by s.at limit 1
$$;

ALTER FUNCTION ve.ve_soon(v ve.ve, p ve.plan) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_visit(p_token bytea, p_veid integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 've', 'pg_temp'
    AS $$
declare
  v ve;
begin
  v := ve_require(p_token, p_veid);
  if v.desired <> 'running' or v.suspended or v.expires_at <= now()
      or v.state not in ('frozen', 'stopped', 'archived')
      or exists (select from job where veid = p_veid and state in ('queued', 'running'))
      or exists (select from node where id = v.node_id and state = 'revoked') then
    return to_jsonb(false);
  end if;
  perform job_add(p_veid, 'wake');
  return to_jsonb(true);
end
$$;

ALTER FUNCTION ve.ve_visit(p_token bytea, p_veid integer) OWNER TO ve_owner;

CREATE FUNCTION ve.ve_wake(p_veid integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 've', 'pg_temp'
    AS $$
begin
  update ve set desired = 'running', generation = generation + 1
    where veid = p_veid and desired = 'stopped' and not suspended and expires_at > now()
      and not exists (select from job j
        where j.veid = p_veid and j.state in ('queued', 'running'));
  if found then
    perform job_add(p_veid, 'start');
  end if;
end
$$;

ALTER FUNCTION ve.ve_wake(p_veid integer) OWNER TO ve_owner;

CREATE TABLE ve.audit (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subscriber_id bigint,
    veid integer,
    detail jsonb NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_action_check CHECK ((action ~ '^[a-z]+\.[a-z_]+$'::text)),
    CONSTRAINT audit_actor_check CHECK (((length(actor) >= 1) AND (length(actor) <= 300)))
);

ALTER TABLE ve.audit OWNER TO ve_owner;

CREATE TABLE ve.audit_head (
    one boolean DEFAULT true NOT NULL,
    id bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_head_one_check CHECK (one)
);

ALTER TABLE ve.audit_head OWNER TO ve_owner;

CREATE TABLE ve.bean (
    name text NOT NULL,
    "position" integer NOT NULL,
    unit text NOT NULL,
    kind text NOT NULL,
    title text NOT NULL,
    act text NOT NULL,
    CONSTRAINT bean_kind_check CHECK ((kind = ANY (ARRAY['refuse'::text, 'reclaim'::text, 'guarantee'::text]))),
    CONSTRAINT bean_unit_check CHECK ((unit = ANY (ARRAY['count'::text, 'bytes'::text, 'pages'::text])))
);

ALTER TABLE ve.bean OWNER TO ve_owner;

CREATE TABLE ve.block (
    id bigint NOT NULL,
    pool_id bigint NOT NULL,
    node_id text NOT NULL,
    range cidr NOT NULL,
    term tstzrange NOT NULL,
    nonce text DEFAULT ''::text NOT NULL,
    acked_epoch bigint DEFAULT 0 NOT NULL,
    renewed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT block_nonce_check CHECK ((length(nonce) <= 128)),
    CONSTRAINT block_term_check CHECK (((NOT isempty(term)) AND (NOT upper_inf(term))))
);

ALTER TABLE ve.block OWNER TO ve_owner;

ALTER TABLE ve.block ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ve.block_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ve.lease (
    id bigint NOT NULL,
    address inet NOT NULL,
    veid integer NOT NULL,
    node_id text NOT NULL,
    block_id bigint NOT NULL,
    epoch bigint NOT NULL,
    during tstzrange NOT NULL,
    CONSTRAINT lease_address_check CHECK ((masklen(address) = ANY (ARRAY[32, 128])))
);

ALTER TABLE ve.lease OWNER TO ve_owner;

CREATE TABLE ve.node (
    id text NOT NULL,
    url text NOT NULL,
    grant_key bytea NOT NULL,
    state ve.node_state DEFAULT 'active'::ve.node_state NOT NULL,
    capacity integer NOT NULL,
    placed integer DEFAULT 0 NOT NULL,
    facts jsonb DEFAULT '{}'::jsonb NOT NULL,
    seen_at timestamp with time zone,
    enrolled_at timestamp with time zone DEFAULT now() NOT NULL,
    revoked_at timestamp with time zone,
    short_at timestamp with time zone,
    CONSTRAINT node_capacity_check CHECK (((capacity >= 0) AND (capacity <= 1000000))),
    CONSTRAINT node_grant_key_check CHECK ((octet_length(grant_key) = 32)),
    CONSTRAINT node_id_check CHECK ((id ~ '^[a-z][a-z0-9-]{0,30}$'::text)),
    CONSTRAINT node_placed_check CHECK (((placed >= 0) AND (placed <= 1000000))),
    CONSTRAINT node_url_check CHECK ((url ~ '^https://[A-Za-z0-9.:\[\]-]{1,120}$'::text))
);

ALTER TABLE ve.node OWNER TO ve_owner;

CREATE TABLE ve.pool (
    id bigint NOT NULL,
    range cidr NOT NULL,
    block_len integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    excluded cidr[] DEFAULT '{}'::cidr[] NOT NULL,
    CONSTRAINT pool_block_len_check CHECK (
CASE family((range)::inet)
    WHEN 4 THEN (((masklen((range)::inet) >= 8) AND (masklen((range)::inet) <= 32)) AND ((block_len >= masklen((range)::inet)) AND (block_len <= LEAST(32, (masklen((range)::inet) + 12)))))
    ELSE (((masklen((range)::inet) >= 16) AND (masklen((range)::inet) <= 96)) AND (block_len = 128))
END)
);

ALTER TABLE ve.pool OWNER TO ve_owner;

CREATE TABLE ve.queue (
    id bigint NOT NULL,
    subscriber_id bigint NOT NULL,
    template text NOT NULL,
    network cidr NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ve.queue OWNER TO ve_owner;

CREATE VIEW ve.capacity AS
 SELECT v.environments,
    v.running,
    ( SELECT COALESCE(sum(GREATEST((node.capacity - node.placed), 0)), (0)::bigint) AS "coalesce"
           FROM ve.node
          WHERE ((node.state = 'active'::ve.node_state) AND (node.seen_at > (now() - '00:01:00'::interval)))) AS free,
    ( SELECT count(*) AS count
           FROM ve.node
          WHERE ((node.state <> 'revoked'::ve.node_state) AND (node.seen_at > (now() - '00:01:00'::interval)))) AS nodes,
    ( SELECT count(*) AS count
           FROM ve.queue) AS waiting,
    ( SELECT count(*) AS count
           FROM ve.lease
          WHERE upper_inf(lease.during)) AS leases,
    ( SELECT COALESCE(sum((((2)::double precision ^ ((32 - masklen((pool.range)::inet)))::double precision))::bigint), (0)::numeric) AS "coalesce"
           FROM ve.pool
          WHERE (family((pool.range)::inet) = 4)) AS addresses,
    ( SELECT count(*) AS count
           FROM ve.audit
          WHERE ((audit.action = 'lease.alarm'::text) AND (audit.at > (now() - '1 day'::interval)))) AS alarms
   FROM ( SELECT count(*) AS environments,
            count(*) FILTER (WHERE (ve.state = ANY (ARRAY['running'::ve.ve_state, 'starting'::ve.ve_state]))) AS running
           FROM ve.ve
          WHERE (ve.deleted_at IS NULL)) v;

ALTER TABLE ve.capacity OWNER TO ve_owner;

CREATE TABLE ve.clock (
    boot text NOT NULL,
    base timestamp with time zone NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT clock_boot_check CHECK (((length(boot) >= 1) AND (length(boot) <= 64)))
);

ALTER TABLE ve.clock OWNER TO ve_owner;

CREATE TABLE ve.confirmation (
    token_hash bytea NOT NULL,
    subscriber_id bigint NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '24:00:00'::interval) NOT NULL,
    CONSTRAINT confirmation_token_hash_check CHECK ((octet_length(token_hash) = 32))
);

ALTER TABLE ve.confirmation OWNER TO ve_owner;

CREATE TABLE ve.credential (
    subscriber_id bigint NOT NULL,
    password_hash text NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT credential_password_hash_check CHECK (((password_hash ~~ '$argon2id$%'::text) AND (length(password_hash) <= 200)))
);

ALTER TABLE ve.credential OWNER TO ve_owner;

CREATE TABLE ve.dns_name (
    zone text NOT NULL,
    name text NOT NULL,
    ipv4 inet,
    ipv6 inet,
    told_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ve.dns_name OWNER TO ve_owner;

CREATE TABLE ve.enrolment (
    id bigint NOT NULL,
    token_hash bytea NOT NULL,
    node_id text NOT NULL,
    url text NOT NULL,
    capacity integer NOT NULL,
    made_by text NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '01:00:00'::interval) NOT NULL,
    csr text,
    certificate text,
    error text,
    CONSTRAINT enrolment_capacity_check CHECK (((capacity >= 0) AND (capacity <= 1000000))),
    CONSTRAINT enrolment_certificate_check CHECK ((length(certificate) <= 8000)),
    CONSTRAINT enrolment_csr_check CHECK (((length(csr) >= 100) AND (length(csr) <= 2000))),
    CONSTRAINT enrolment_error_check CHECK ((length(error) <= 500)),
    CONSTRAINT enrolment_node_id_check CHECK ((node_id ~ '^[a-z][a-z0-9-]{0,30}$'::text)),
    CONSTRAINT enrolment_token_hash_check CHECK ((octet_length(token_hash) = 32)),
    CONSTRAINT enrolment_url_check CHECK ((url ~ '^https://[A-Za-z0-9.:\[\]-]{1,120}$'::text))
);

ALTER TABLE ve.enrolment OWNER TO ve_owner;

ALTER TABLE ve.enrolment ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ve.enrolment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ve.job (
    id bigint NOT NULL,
    key uuid DEFAULT gen_random_uuid() NOT NULL,
    veid integer NOT NULL,
    node_id text NOT NULL,
    kind ve.job_kind NOT NULL,
    state ve.job_state DEFAULT 'queued'::ve.job_state NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    locked_until timestamp with time zone,
    stage text DEFAULT ''::text NOT NULL,
    error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT job_error_check CHECK ((length(error) <= 500)),
    CONSTRAINT job_finished_check CHECK (((finished_at IS NULL) = (state = ANY (ARRAY['queued'::ve.job_state, 'running'::ve.job_state])))),
    CONSTRAINT job_stage_check CHECK ((length(stage) <= 100))
);

ALTER TABLE ve.job OWNER TO ve_owner;

ALTER TABLE ve.job ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ve.job_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ve.keep (
    token_hash bytea NOT NULL,
    veid integer NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '14 days'::interval) NOT NULL,
    CONSTRAINT keep_token_hash_check CHECK ((octet_length(token_hash) = 32))
);

ALTER TABLE ve.keep OWNER TO ve_owner;

ALTER TABLE ve.lease ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ve.lease_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ve.mail (
    id bigint NOT NULL,
    recipient text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    sent_at timestamp with time zone,
    error text,
    confirms bigint,
    failed_at timestamp with time zone,
    keeps integer,
    CONSTRAINT mail_body_check CHECK ((length(body) <= 20000)),
    CONSTRAINT mail_error_check CHECK ((length(error) <= 500)),
    CONSTRAINT mail_subject_check CHECK (((length(subject) <= 200) AND (subject !~ '[[:cntrl:]]'::text)))
);

ALTER TABLE ve.mail OWNER TO ve_owner;

ALTER TABLE ve.mail ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ve.mail_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW ve.node_overview AS
 SELECT n.id,
    n.url,
    n.state,
    n.capacity,
    n.placed,
    ve.iso(n.seen_at) AS seen_at,
    (COALESCE((n.seen_at > (now() - '00:01:00'::interval)), false) AND (n.state <> 'revoked'::ve.node_state)) AS alive,
    (n.facts ->> 'version'::text) AS version,
    (n.facts ->> 'kernel'::text) AS kernel,
        CASE
            WHEN (jsonb_typeof((n.facts -> 'memory_bytes'::text)) = 'number'::text) THEN (n.facts -> 'memory_bytes'::text)
            ELSE NULL::jsonb
        END AS memory_bytes,
        CASE
            WHEN (jsonb_typeof((n.facts -> 'memory_free_bytes'::text)) = 'number'::text) THEN (n.facts -> 'memory_free_bytes'::text)
            ELSE NULL::jsonb
        END AS memory_free_bytes,
    ( SELECT count(*) AS count
           FROM ve.ve v
          WHERE ((v.node_id = n.id) AND (v.deleted_at IS NULL) AND (v.state = 'running'::ve.ve_state) AND (n.state <> 'revoked'::ve.node_state))) AS running,
    ( SELECT count(*) AS count
           FROM ve.ve v
          WHERE ((v.node_id = n.id) AND (v.deleted_at IS NULL) AND (n.state = 'revoked'::ve.node_state))) AS lost,
    ( SELECT count(*) AS count
           FROM ve.block b
          WHERE ((b.node_id = n.id) AND (upper(b.term) > now()))) AS blocks,
    ( SELECT count(*) AS count
           FROM ve.audit a
          WHERE ((a.action = 'lease.alarm'::text) AND ((a.detail ->> 'node'::text) = n.id) AND (a.at > (now() - '1 day'::interval)))) AS alarms
   FROM ve.node n;

ALTER TABLE ve.node_overview OWNER TO ve_owner;

CREATE TABLE ve.plan_bean (
    plan text NOT NULL,
    bean text NOT NULL,
    barrier bigint NOT NULL,
    "limit" bigint NOT NULL,
    CONSTRAINT plan_bean_check CHECK (((barrier >= 0) AND (barrier <= "limit")))
);

ALTER TABLE ve.plan_bean OWNER TO ve_owner;

ALTER TABLE ve.pool ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ve.pool_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW ve.pool_overview AS
 SELECT p.id,
    (p.range)::text AS range,
    array_to_string(p.excluded, ' '::text) AS excluded,
    family((p.range)::inet) AS family,
    p.block_len,
        CASE family((p.range)::inet)
            WHEN 4 THEN (((2)::double precision ^ ((32 - masklen((p.range)::inet)))::double precision))::bigint
            ELSE NULL::bigint
        END AS addresses,
    ( SELECT count(*) AS count
           FROM ve.block b
          WHERE ((b.pool_id = p.id) AND (upper(b.term) > now()))) AS blocks,
        CASE family((p.range)::inet)
            WHEN 4 THEN ( SELECT count(*) AS count
               FROM ve.lease l
              WHERE ((l.address <<= (p.range)::inet) AND upper_inf(l.during)))
            ELSE ( SELECT count(*) AS count
               FROM ve.ve v
              WHERE ((v.ipv6 <<= (p.range)::inet) AND (v.deleted_at IS NULL)))
        END AS used
   FROM ve.pool p;

ALTER TABLE ve.pool_overview OWNER TO ve_owner;

ALTER TABLE ve.queue ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ve.queue_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ve.queue_turn (
    network cidr NOT NULL,
    served bigint NOT NULL
);

ALTER TABLE ve.queue_turn OWNER TO ve_owner;

CREATE TABLE ve.subscriber (
    id bigint NOT NULL,
    email text NOT NULL,
    role ve.subscriber_role DEFAULT 'subscriber'::ve.subscriber_role NOT NULL,
    suspended_at timestamp with time zone,
    suspended_why text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_from inet,
    confirmed_at timestamp with time zone,
    CONSTRAINT subscriber_email_check CHECK ((((length(email) >= 3) AND (length(email) <= 254)) AND (email = lower(email)) AND (email ~ '^[^@[:space:][:cntrl:]]{1,64}@[^@[:space:][:cntrl:]]{1,189}$'::text))),
    CONSTRAINT subscriber_suspended_check CHECK ((((suspended_at IS NULL) = (suspended_why IS NULL)) AND ((length(suspended_why) >= 1) AND (length(suspended_why) <= 500))))
);

ALTER TABLE ve.subscriber OWNER TO ve_owner;

CREATE VIEW ve.queue_order AS
 SELECT q.id,
    q.subscriber_id,
    q.template,
    q.network,
    q.since,
    row_number() OVER (ORDER BY q.turn, COALESCE(t.served, (0)::bigint), q.id) AS place
   FROM (( SELECT w.id,
            w.subscriber_id,
            w.template,
            w.network,
            w.since,
            row_number() OVER (PARTITION BY w.network ORDER BY w.id) AS turn
           FROM (ve.queue w
             JOIN ve.subscriber s ON ((s.id = w.subscriber_id)))
          WHERE (s.suspended_at IS NULL)) q
     LEFT JOIN ve.queue_turn t ON (((t.network)::inet = (q.network)::inet)));

ALTER TABLE ve.queue_order OWNER TO ve_owner;

CREATE TABLE ve.queue_pace (
    one boolean DEFAULT true NOT NULL,
    seconds double precision NOT NULL,
    last_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT queue_pace_one_check CHECK (one)
);

ALTER TABLE ve.queue_pace OWNER TO ve_owner;

CREATE SEQUENCE ve.queue_served_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER TABLE ve.queue_served_seq OWNER TO ve_owner;

CREATE TABLE ve.rate (
    kind text NOT NULL,
    key text NOT NULL,
    since timestamp with time zone NOT NULL,
    taken integer NOT NULL
);

ALTER TABLE ve.rate OWNER TO ve_owner;

CREATE TABLE ve.rate_rule (
    kind text NOT NULL,
    per interval NOT NULL,
    most integer NOT NULL,
    CONSTRAINT rate_rule_check CHECK (((per > '00:00:00'::interval) AND (most > 0)))
);

ALTER TABLE ve.rate_rule OWNER TO ve_owner;

ALTER TABLE ve.refusal ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ve.refusal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ve.reserved_name (
    name text NOT NULL
);

ALTER TABLE ve.reserved_name OWNER TO ve_owner;

CREATE TABLE ve.session (
    id bigint NOT NULL,
    token_hash bytea NOT NULL,
    subscriber_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '7 days'::interval) NOT NULL,
    ended_at timestamp with time zone,
    address inet,
    CONSTRAINT session_token_hash_check CHECK ((octet_length(token_hash) = 32))
);

ALTER TABLE ve.session OWNER TO ve_owner;

ALTER TABLE ve.session ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ve.session_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ve.ssh_key (
    id bigint NOT NULL,
    subscriber_id bigint NOT NULL,
    kind text NOT NULL,
    blob text NOT NULL,
    fingerprint text NOT NULL,
    comment text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT ssh_key_blob_check CHECK (((blob ~ '^[A-Za-z0-9+/]+={0,2}$'::text) AND ((length(blob) >= 40) AND (length(blob) <= 3000)))),
    CONSTRAINT ssh_key_comment_check CHECK (((length(comment) <= 100) AND (comment !~ '[[:cntrl:]]'::text))),
    CONSTRAINT ssh_key_fingerprint_check CHECK ((fingerprint ~ '^SHA256:[A-Za-z0-9+/]{43}$'::text)),
    CONSTRAINT ssh_key_kind_check CHECK ((kind ~ '^[a-z0-9@.-]{1,64}$'::text))
);

ALTER TABLE ve.ssh_key OWNER TO ve_owner;

ALTER TABLE ve.ssh_key ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ve.ssh_key_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ve.subscriber ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ve.subscriber_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ve.template (
    name text NOT NULL,
    title text NOT NULL,
    summary text NOT NULL,
    "position" integer NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    CONSTRAINT template_name_check CHECK ((name ~ '^[a-z][a-z0-9-]{0,30}$'::text))
);

ALTER TABLE ve.template OWNER TO ve_owner;

CREATE TABLE ve.ticket (
    token_hash bytea NOT NULL,
    session_id bigint NOT NULL,
    veid integer NOT NULL,
    expires_at timestamp with time zone DEFAULT (now() + '00:00:30'::interval) NOT NULL,
    CONSTRAINT ticket_token_hash_check CHECK ((octet_length(token_hash) = 32))
);

ALTER TABLE ve.ticket OWNER TO ve_owner;

CREATE TABLE ve.usage_now (
    veid integer NOT NULL,
    at timestamp with time zone NOT NULL,
    usage jsonb
);

ALTER TABLE ve.usage_now OWNER TO ve_owner;

CREATE TABLE ve.usage_sample (
    veid integer NOT NULL,
    slot integer NOT NULL,
    at timestamp with time zone NOT NULL,
    held bigint[] NOT NULL,
    CONSTRAINT usage_sample_held_check CHECK ((cardinality(held) = 21)),
    CONSTRAINT usage_sample_slot_check CHECK (((slot >= 0) AND (slot <= 59)))
);

ALTER TABLE ve.usage_sample OWNER TO ve_owner;

CREATE TABLE ve_meta.migration (
    id text NOT NULL,
    sha256 text NOT NULL,
    applied timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ve_meta.migration OWNER TO ve_owner;

ALTER TABLE ONLY ve.audit_head
    ADD CONSTRAINT audit_head_pkey PRIMARY KEY (one);

ALTER TABLE ONLY ve.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ve.bean
    ADD CONSTRAINT bean_pkey PRIMARY KEY (name);

ALTER TABLE ONLY ve.bean
    ADD CONSTRAINT bean_position_key UNIQUE ("position");

ALTER TABLE ONLY ve.block
    ADD CONSTRAINT block_one_borrower_excl EXCLUDE USING gist (range inet_ops WITH &&, term WITH &&);

ALTER TABLE ONLY ve.block
    ADD CONSTRAINT block_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ve.clock
    ADD CONSTRAINT clock_pkey PRIMARY KEY (boot);

ALTER TABLE ONLY ve.confirmation
    ADD CONSTRAINT confirmation_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY ve.credential
    ADD CONSTRAINT credential_pkey PRIMARY KEY (subscriber_id);

ALTER TABLE ONLY ve.dns_name
    ADD CONSTRAINT dns_name_pkey PRIMARY KEY (zone, name);

ALTER TABLE ONLY ve.enrolment
    ADD CONSTRAINT enrolment_node_key UNIQUE (node_id);

ALTER TABLE ONLY ve.enrolment
    ADD CONSTRAINT enrolment_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ve.enrolment
    ADD CONSTRAINT enrolment_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY ve.job
    ADD CONSTRAINT job_key_key UNIQUE (key);

ALTER TABLE ONLY ve.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ve.keep
    ADD CONSTRAINT keep_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY ve.lease
    ADD CONSTRAINT lease_epoch_key UNIQUE (block_id, address, epoch);

ALTER TABLE ONLY ve.lease
    ADD CONSTRAINT lease_one_ve_an_address_excl EXCLUDE USING gist (address inet_ops WITH &&, during WITH &&);

ALTER TABLE ONLY ve.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ve.mail
    ADD CONSTRAINT mail_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ve.node
    ADD CONSTRAINT node_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ve.node
    ADD CONSTRAINT node_url_key UNIQUE (url);

ALTER TABLE ONLY ve.plan_bean
    ADD CONSTRAINT plan_bean_pkey PRIMARY KEY (plan, bean);

ALTER TABLE ONLY ve.plan
    ADD CONSTRAINT plan_pkey PRIMARY KEY (name);

ALTER TABLE ONLY ve.pool
    ADD CONSTRAINT pool_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ve.pool
    ADD CONSTRAINT pool_range_excl EXCLUDE USING gist (range inet_ops WITH &&);

ALTER TABLE ONLY ve.queue
    ADD CONSTRAINT queue_one_a_person_key UNIQUE (subscriber_id);

ALTER TABLE ONLY ve.queue_pace
    ADD CONSTRAINT queue_pace_pkey PRIMARY KEY (one);

ALTER TABLE ONLY ve.queue
    ADD CONSTRAINT queue_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ve.queue_turn
    ADD CONSTRAINT queue_turn_pkey PRIMARY KEY (network);

ALTER TABLE ONLY ve.rate
    ADD CONSTRAINT rate_pkey PRIMARY KEY (kind, key);

ALTER TABLE ONLY ve.rate_rule
    ADD CONSTRAINT rate_rule_pkey PRIMARY KEY (kind);

ALTER TABLE ONLY ve.refusal
    ADD CONSTRAINT refusal_event_key UNIQUE (node_id, event_id, at);

ALTER TABLE ONLY ve.refusal
    ADD CONSTRAINT refusal_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ve.reserved_name
    ADD CONSTRAINT reserved_name_pkey PRIMARY KEY (name);

ALTER TABLE ONLY ve.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ve.session
    ADD CONSTRAINT session_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY ve.ssh_key
    ADD CONSTRAINT ssh_key_fingerprint_key UNIQUE (fingerprint);

ALTER TABLE ONLY ve.ssh_key
    ADD CONSTRAINT ssh_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ve.subscriber
    ADD CONSTRAINT subscriber_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ve.template
    ADD CONSTRAINT template_pkey PRIMARY KEY (name);

ALTER TABLE ONLY ve.ticket
    ADD CONSTRAINT ticket_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY ve.usage_now
    ADD CONSTRAINT usage_now_pkey PRIMARY KEY (veid);

ALTER TABLE ONLY ve.usage_sample
    ADD CONSTRAINT usage_sample_pkey PRIMARY KEY (veid, slot);

ALTER TABLE ONLY ve.ve
    ADD CONSTRAINT ve_ipv6_key UNIQUE (ipv6);

ALTER TABLE ONLY ve.ve
    ADD CONSTRAINT ve_pkey PRIMARY KEY (veid);

ALTER TABLE ONLY ve_meta.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (id);

CREATE INDEX audit_lease_alarm_idx ON ve.audit USING btree (((detail ->> 'node'::text)), ((detail ->> 'address'::text)), ((detail ->> 'epoch'::text))) WHERE (action = 'lease.alarm'::text);

CREATE INDEX audit_subscriber_idx ON ve.audit USING btree (subscriber_id, id);

CREATE INDEX block_node_idx ON ve.block USING btree (node_id, upper(term));

CREATE INDEX confirmation_subscriber_idx ON ve.confirmation USING btree (subscriber_id);

CREATE INDEX job_finished_idx ON ve.job USING btree (finished_at) WHERE (finished_at IS NOT NULL);

CREATE UNIQUE INDEX job_one_live_a_ve_key ON ve.job USING btree (veid) WHERE (state = ANY (ARRAY['queued'::ve.job_state, 'running'::ve.job_state]));

CREATE INDEX job_queue_idx ON ve.job USING btree (node_id, run_at) WHERE (state = ANY (ARRAY['queued'::ve.job_state, 'running'::ve.job_state]));

CREATE INDEX job_veid_idx ON ve.job USING btree (veid, id);

CREATE INDEX keep_veid_idx ON ve.keep USING btree (veid);

CREATE INDEX lease_live_idx ON ve.lease USING btree (block_id) WHERE upper_inf(during);

CREATE INDEX lease_veid_idx ON ve.lease USING btree (veid);

CREATE INDEX mail_confirms_idx ON ve.mail USING btree (confirms, id) WHERE (confirms IS NOT NULL);

CREATE INDEX mail_queue_idx ON ve.mail USING btree (run_at) WHERE ((sent_at IS NULL) AND (failed_at IS NULL));

CREATE INDEX refusal_veid_idx ON ve.refusal USING btree (veid, id);

CREATE INDEX session_subscriber_idx ON ve.session USING btree (subscriber_id) WHERE (ended_at IS NULL);

CREATE INDEX ssh_key_subscriber_idx ON ve.ssh_key USING btree (subscriber_id);

CREATE UNIQUE INDEX subscriber_email_key ON ve.subscriber USING btree (email);

CREATE INDEX ticket_expiry_idx ON ve.ticket USING btree (expires_at);

CREATE INDEX ve_expiry_idx ON ve.ve USING btree (expires_at) WHERE (deleted_at IS NULL);

CREATE UNIQUE INDEX ve_hostname_key ON ve.ve USING btree (hostname) WHERE (deleted_at IS NULL);

CREATE INDEX ve_node_idx ON ve.ve USING btree (node_id) WHERE (deleted_at IS NULL);

CREATE UNIQUE INDEX ve_one_a_person_key ON ve.ve USING btree (subscriber_id) WHERE (deleted_at IS NULL);

CREATE INDEX ve_plan_idx ON ve.ve USING btree (plan) WHERE (deleted_at IS NULL);

CREATE TRIGGER audit_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ve.audit FOR EACH STATEMENT EXECUTE FUNCTION ve.audit_refuse();

CREATE TRIGGER job_step BEFORE UPDATE OF state ON ve.job FOR EACH ROW EXECUTE FUNCTION ve.job_check_step();

CREATE TRIGGER job_wake AFTER INSERT ON ve.job FOR EACH ROW EXECUTE FUNCTION ve.job_wake();

CREATE TRIGGER queue_change AFTER INSERT OR DELETE ON ve.queue FOR EACH STATEMENT EXECUTE FUNCTION ve.queue_tell();

ALTER TABLE ONLY ve.block
    ADD CONSTRAINT block_node_fk FOREIGN KEY (node_id) REFERENCES ve.node(id);

ALTER TABLE ONLY ve.block
    ADD CONSTRAINT block_pool_fk FOREIGN KEY (pool_id) REFERENCES ve.pool(id);

ALTER TABLE ONLY ve.confirmation
    ADD CONSTRAINT confirmation_subscriber_fk FOREIGN KEY (subscriber_id) REFERENCES ve.subscriber(id);

ALTER TABLE ONLY ve.credential
    ADD CONSTRAINT credential_subscriber_fk FOREIGN KEY (subscriber_id) REFERENCES ve.subscriber(id);

ALTER TABLE ONLY ve.job
    ADD CONSTRAINT job_node_fk FOREIGN KEY (node_id) REFERENCES ve.node(id);

ALTER TABLE ONLY ve.job
    ADD CONSTRAINT job_ve_fk FOREIGN KEY (veid) REFERENCES ve.ve(veid);

ALTER TABLE ONLY ve.keep
    ADD CONSTRAINT keep_ve_fk FOREIGN KEY (veid) REFERENCES ve.ve(veid);

ALTER TABLE ONLY ve.lease
    ADD CONSTRAINT lease_block_fk FOREIGN KEY (block_id) REFERENCES ve.block(id);

ALTER TABLE ONLY ve.lease
    ADD CONSTRAINT lease_node_fk FOREIGN KEY (node_id) REFERENCES ve.node(id);

ALTER TABLE ONLY ve.mail
    ADD CONSTRAINT mail_confirms_fk FOREIGN KEY (confirms) REFERENCES ve.subscriber(id);

ALTER TABLE ONLY ve.mail
    ADD CONSTRAINT mail_keeps_fk FOREIGN KEY (keeps) REFERENCES ve.ve(veid);

ALTER TABLE ONLY ve.plan_bean
    ADD CONSTRAINT plan_bean_bean_fk FOREIGN KEY (bean) REFERENCES ve.bean(name);

ALTER TABLE ONLY ve.plan_bean
    ADD CONSTRAINT plan_bean_plan_fk FOREIGN KEY (plan) REFERENCES ve.plan(name);

ALTER TABLE ONLY ve.queue
    ADD CONSTRAINT queue_subscriber_fk FOREIGN KEY (subscriber_id) REFERENCES ve.subscriber(id);

ALTER TABLE ONLY ve.queue
    ADD CONSTRAINT queue_template_fk FOREIGN KEY (template) REFERENCES ve.template(name);

ALTER TABLE ONLY ve.rate
    ADD CONSTRAINT rate_kind_fk FOREIGN KEY (kind) REFERENCES ve.rate_rule(kind);

ALTER TABLE ONLY ve.refusal
    ADD CONSTRAINT refusal_bean_fk FOREIGN KEY (bean) REFERENCES ve.bean(name);

ALTER TABLE ONLY ve.refusal
    ADD CONSTRAINT refusal_node_fk FOREIGN KEY (node_id) REFERENCES ve.node(id);

ALTER TABLE ONLY ve.refusal
    ADD CONSTRAINT refusal_ve_fk FOREIGN KEY (veid) REFERENCES ve.ve(veid);

ALTER TABLE ONLY ve.session
    ADD CONSTRAINT session_subscriber_fk FOREIGN KEY (subscriber_id) REFERENCES ve.subscriber(id);

ALTER TABLE ONLY ve.ssh_key
    ADD CONSTRAINT ssh_key_subscriber_fk FOREIGN KEY (subscriber_id) REFERENCES ve.subscriber(id);

ALTER TABLE ONLY ve.ticket
    ADD CONSTRAINT ticket_session_fk FOREIGN KEY (session_id) REFERENCES ve.session(id);

ALTER TABLE ONLY ve.ticket
    ADD CONSTRAINT ticket_ve_fk FOREIGN KEY (veid) REFERENCES ve.ve(veid);

ALTER TABLE ONLY ve.usage_now
    ADD CONSTRAINT usage_now_ve_fk FOREIGN KEY (veid) REFERENCES ve.ve(veid);

ALTER TABLE ONLY ve.usage_sample
    ADD CONSTRAINT usage_sample_ve_fk FOREIGN KEY (veid) REFERENCES ve.ve(veid);

ALTER TABLE ONLY ve.ve
    ADD CONSTRAINT ve_node_fk FOREIGN KEY (node_id) REFERENCES ve.node(id);

ALTER TABLE ONLY ve.ve
    ADD CONSTRAINT ve_plan_fk FOREIGN KEY (plan) REFERENCES ve.plan(name);

ALTER TABLE ONLY ve.ve
    ADD CONSTRAINT ve_subscriber_fk FOREIGN KEY (subscriber_id) REFERENCES ve.subscriber(id);

ALTER TABLE ONLY ve.ve
    ADD CONSTRAINT ve_template_fk FOREIGN KEY (template) REFERENCES ve.template(name);

GRANT USAGE ON SCHEMA ve TO ve_portal;
GRANT USAGE ON SCHEMA ve TO ve_jobd;
GRANT USAGE ON SCHEMA ve TO ve_signer;
GRANT USAGE ON SCHEMA ve TO ve_gateway;
GRANT USAGE ON SCHEMA ve TO ve_admin;

REVOKE ALL ON FUNCTION ve.account_admit(p_email text, p_address inet) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.account_admit(p_email text, p_address inet) TO ve_portal;

REVOKE ALL ON FUNCTION ve.account_confirm(p_confirmation bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.account_confirm(p_confirmation bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.account_confirm_ask(p_token bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.account_confirm_ask(p_token bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.account_login(p_subscriber bigint, p_address inet, p_token bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.account_login(p_subscriber bigint, p_address inet, p_token bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.account_lookup(p_email text, p_address inet) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.account_lookup(p_email text, p_address inet) TO ve_portal;

REVOKE ALL ON FUNCTION ve.account_rehash(p_subscriber bigint, p_old text, p_new text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.account_rehash(p_subscriber bigint, p_old text, p_new text) TO ve_portal;

REVOKE ALL ON FUNCTION ve.account_signup(p_email text, p_password_hash text, p_template text, p_address inet, p_token bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.account_signup(p_email text, p_password_hash text, p_template text, p_address inet, p_token bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.amount_read(p_text text, p_unit text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.amount_show(n bigint, p_unit text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.amount_write(n bigint, p_unit text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.audit_add(p_actor text, p_action text, p_subscriber bigint, p_veid integer, p_detail jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.audit_list(p_token bytea, p_before bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.audit_list(p_token bytea, p_before bigint) TO ve_portal;

REVOKE ALL ON FUNCTION ve.audit_refuse() FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.audit_verify() FROM PUBLIC;
GRANT ALL ON FUNCTION ve.audit_verify() TO ve_admin;

REVOKE ALL ON FUNCTION ve.base64url(b bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.block_lend(p_node text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.block_renew(p_block bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.block_renew(p_block bigint) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.block_report(p_block bigint, p_nonce text, p_leases jsonb, p_released jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.block_report(p_block bigint, p_nonce text, p_leases jsonb, p_released jsonb) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.block_return(p_block bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.block_return(p_block bigint) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.block_spare(p_node text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.block_spare(p_node text) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.block_sync(p_node text, p_boot text, p_ms bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.block_sync(p_node text, p_boot text, p_ms bigint) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.capacity_get() FROM PUBLIC;
GRANT ALL ON FUNCTION ve.capacity_get() TO ve_jobd;
GRANT ALL ON FUNCTION ve.capacity_get() TO ve_portal;

REVOKE ALL ON FUNCTION ve.clock_check(p_boot text, p_ms bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.confirm_ask(p_subscriber bigint, p_email text, p_words text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.confirm_link(p_mail bigint, p_confirmation bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.confirm_link(p_mail bigint, p_confirmation bytea) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.dns_done(p_zone text, p_names jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.dns_done(p_zone text, p_names jsonb) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.dns_due(p_zone text, p_most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.dns_due(p_zone text, p_most integer) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.dns_wanted() FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.drive_list() FROM PUBLIC;
GRANT ALL ON FUNCTION ve.drive_list() TO ve_jobd;

REVOKE ALL ON FUNCTION ve.enrolment_ask(p_enrolment bytea, p_csr text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.enrolment_ask(p_enrolment bytea, p_csr text) TO ve_portal;

REVOKE ALL ON FUNCTION ve.enrolment_make(p_token bytea, p_id text, p_url text, p_capacity integer, p_enrolment bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.enrolment_make(p_token bytea, p_id text, p_url text, p_capacity integer, p_enrolment bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.enrolment_take(p_enrolment bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.enrolment_take(p_enrolment bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.gateway_grant(p_fingerprint text, p_veid integer, p_kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.gateway_grant(p_fingerprint text, p_veid integer, p_kind text) TO ve_gateway;

REVOKE ALL ON FUNCTION ve.grant_make(v ve.ve, p_sub text, p_kind text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.home_get(p_token bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.home_get(p_token bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.iso(t timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.job_add(p_veid integer, p_kind ve.job_kind, p_supersede boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.job_again(p_job bigint, p_attempt integer, p_delay integer, p_error text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.job_again(p_job bigint, p_attempt integer, p_delay integer, p_error text) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.job_check_step() FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.job_claim(p_node text, p_seconds integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.job_claim(p_node text, p_seconds integer) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.job_claim_urgent(p_node text, p_seconds integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.job_claim_urgent(p_node text, p_seconds integer) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.job_endings() FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.job_finish(p_job bigint, p_attempt integer, p_error text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.job_finish(p_job bigint, p_attempt integer, p_error text) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.job_get(p_token bytea, p_job bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.job_get(p_token bytea, p_job bigint) TO ve_portal;

REVOKE ALL ON FUNCTION ve.job_keep(p_job bigint, p_attempt integer, p_seconds integer, p_stage text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.job_keep(p_job bigint, p_attempt integer, p_seconds integer, p_stage text) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.job_take(p_node text, p_seconds integer, p_urgent boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.job_wake() FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.keep_link(p_mail bigint, p_keep bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.keep_link(p_mail bigint, p_keep bytea) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.keep_take(p_keep bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.keep_take(p_keep bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.key_add(p_token bytea, p_kind text, p_blob text, p_fingerprint text, p_comment text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.key_add(p_token bytea, p_kind text, p_blob text, p_fingerprint text, p_comment text) TO ve_portal;

REVOKE ALL ON FUNCTION ve.key_lookup(p_fingerprint text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.key_lookup(p_fingerprint text) TO ve_gateway;

REVOKE ALL ON FUNCTION ve.key_remove(p_token bytea, p_key bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.key_remove(p_token bytea, p_key bigint) TO ve_portal;

REVOKE ALL ON FUNCTION ve.ladder_run() FROM PUBLIC;
GRANT ALL ON FUNCTION ve.ladder_run() TO ve_jobd;

REVOKE ALL ON FUNCTION ve.lease_alarm(p_node text, p_address inet, p_epoch bigint, p_veid integer, p_why text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.lease_close() FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.line_look(p_people bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.line_look(p_people bigint[]) TO ve_portal;

REVOKE ALL ON FUNCTION ve.mail_claim() FROM PUBLIC;
GRANT ALL ON FUNCTION ve.mail_claim() TO ve_jobd;

REVOKE ALL ON FUNCTION ve.mail_finish(p_mail bigint, p_error text, p_final boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.mail_finish(p_mail bigint, p_error text, p_final boolean) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.network_of(address inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.node_act(p_token bytea, p_id text, p_action text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.node_act(p_token bytea, p_id text, p_action text) TO ve_portal;

REVOKE ALL ON FUNCTION ve.node_fact(p_node text, p_facts jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.node_fact(p_node text, p_facts jsonb) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.node_install(p_id text, p_url text, p_grant_key text, p_capacity integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.node_install(p_id text, p_url text, p_grant_key text, p_capacity integer) TO ve_admin;

REVOKE ALL ON FUNCTION ve.node_list(p_token bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.node_list(p_token bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.operator_create(p_email text, p_password_hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.operator_create(p_email text, p_password_hash text) TO ve_admin;

REVOKE ALL ON FUNCTION ve.plan_apply(p_veids integer[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.plan_bounds(p_name text, f jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.plan_get(p_token bytea, p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.plan_get(p_token bytea, p_name text) TO ve_portal;

REVOKE ALL ON FUNCTION ve.plan_json(p ve.plan) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.plan_list(p_token bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.plan_list(p_token bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.plan_read(p ve.plan, p_name text, f jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.plan_save(p_token bytea, p_name text, p_form jsonb, p_new boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.plan_save(p_token bytea, p_name text, p_form jsonb, p_new boolean) TO ve_portal;

REVOKE ALL ON FUNCTION ve.pool_add(p_token bytea, p_range text, p_block_len integer, p_excluded text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.pool_add(p_token bytea, p_range text, p_block_len integer, p_excluded text) TO ve_portal;

REVOKE ALL ON FUNCTION ve.pool_insert(p_actor text, p_range cidr, p_block_len integer, p_excluded cidr[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.pool_install(p_range cidr, p_block_len integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.pool_install(p_range cidr, p_block_len integer) TO ve_admin;

REVOKE ALL ON FUNCTION ve.pool_list(p_token bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.pool_list(p_token bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.port_grant(p_name text, p_address inet) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.port_grant(p_name text, p_address inet) TO ve_portal;

REVOKE ALL ON FUNCTION ve.queue_json(p_subscriber bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.queue_leave(p_token bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.queue_leave(p_token bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.queue_run() FROM PUBLIC;
GRANT ALL ON FUNCTION ve.queue_run() TO ve_jobd;

REVOKE ALL ON FUNCTION ve.queue_tell() FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.rate_take(p_kind text, p_key text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.refusal_add(p_node text, p_event bigint, p_data jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.refusal_add(p_node text, p_event bigint, p_data jsonb) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.refusal_last(p_node text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.refusal_last(p_node text) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.refusal_words(r ve.refusal) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.session_check(p_session bigint, p_veid integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.session_check(p_session bigint, p_veid integer) TO ve_portal;

REVOKE ALL ON FUNCTION ve.session_end(p_token bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.session_end(p_token bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.session_get(p_token bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.session_get(p_token bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.session_require(p_token bytea, p_operator boolean, OUT session_id bigint, OUT subscriber_id bigint, OUT email text, OUT operator boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.sign_claim() FROM PUBLIC;
GRANT ALL ON FUNCTION ve.sign_claim() TO ve_signer;

REVOKE ALL ON FUNCTION ve.sign_finish(p_id bigint, p_certificate text, p_error text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.sign_finish(p_id bigint, p_certificate text, p_error text) TO ve_signer;

REVOKE ALL ON FUNCTION ve.span(t interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.subscriber_hold(p_subscriber bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.subscriber_list(p_token bytea, p_before bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.subscriber_list(p_token bytea, p_before bigint) TO ve_portal;

REVOKE ALL ON FUNCTION ve.subscriber_suspend(p_token bytea, p_subscriber bigint, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.subscriber_suspend(p_token bytea, p_subscriber bigint, p_why text) TO ve_portal;

REVOKE ALL ON FUNCTION ve.subscriber_unsuspend(p_token bytea, p_subscriber bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.subscriber_unsuspend(p_token bytea, p_subscriber bigint) TO ve_portal;

REVOKE ALL ON FUNCTION ve.sweep_run() FROM PUBLIC;
GRANT ALL ON FUNCTION ve.sweep_run() TO ve_jobd;

REVOKE ALL ON FUNCTION ve.template_list() FROM PUBLIC;
GRANT ALL ON FUNCTION ve.template_list() TO ve_portal;

REVOKE ALL ON FUNCTION ve.terminal_grant(p_token bytea, p_veid integer, p_kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.terminal_grant(p_token bytea, p_veid integer, p_kind text) TO ve_portal;

REVOKE ALL ON FUNCTION ve.ticket_create(p_token bytea, p_veid integer, p_ticket bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.ticket_create(p_token bytea, p_veid integer, p_ticket bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.ticket_redeem(p_token bytea, p_veid integer, p_ticket bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.ticket_redeem(p_token bytea, p_veid integer, p_ticket bytea) TO ve_portal;

REVOKE ALL ON FUNCTION ve.trial_run() FROM PUBLIC;
GRANT ALL ON FUNCTION ve.trial_run() TO ve_jobd;

REVOKE ALL ON FUNCTION ve.usage_due(p_node text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.usage_due(p_node text) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.usage_get(p_token bytea, p_veid integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.usage_get(p_token bytea, p_veid integer) TO ve_portal;

REVOKE ALL ON FUNCTION ve.usage_json(p_veid integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.usage_take(p_node text, p_veid integer, p_usage jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.usage_take(p_node text, p_veid integer, p_usage jsonb) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.ve_act(p_token bytea, p_veid integer, p_action text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.ve_act(p_token bytea, p_veid integer, p_action text) TO ve_portal;

REVOKE ALL ON FUNCTION ve.ve_create(p_token bytea, p_template text, p_address inet) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.ve_create(p_token bytea, p_template text, p_address inet) TO ve_portal;

REVOKE ALL ON FUNCTION ve.ve_extend(p_token bytea, p_veid integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.ve_extend(p_token bytea, p_veid integer) TO ve_portal;

REVOKE ALL ON FUNCTION ve.ve_get(p_token bytea, p_veid integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.ve_get(p_token bytea, p_veid integer) TO ve_portal;

REVOKE ALL ON FUNCTION ve.ve_json(v ve.ve) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.ve_keep(p_token bytea, p_veid integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.ve_keep(p_token bytea, p_veid integer) TO ve_portal;

REVOKE ALL ON FUNCTION ve.ve_list(p_token bytea, p_before integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.ve_list(p_token bytea, p_before integer) TO ve_portal;

REVOKE ALL ON FUNCTION ve.ve_lose(v ve.ve, p_actor text, p_action text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.ve_observe(p_node text, p_items jsonb, p_complete boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.ve_observe(p_node text, p_items jsonb, p_complete boolean) TO ve_jobd;

REVOKE ALL ON FUNCTION ve.ve_open(p_subscriber bigint, p_template text, p_address inet) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.ve_place(p_subscriber bigint, p_template text, p_network cidr) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.ve_plan(p_token bytea, p_veid integer, p_plan text) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.ve_plan(p_token bytea, p_veid integer, p_plan text) TO ve_portal;

REVOKE ALL ON FUNCTION ve.ve_put_off(v ve.ve, p_actor text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.ve_rename(p_token bytea, p_veid integer, p_name text, p_port integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.ve_rename(p_token bytea, p_veid integer, p_name text, p_port integer) TO ve_portal;

REVOKE ALL ON FUNCTION ve.ve_require(p_token bytea, p_veid integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.ve_soon(v ve.ve, p ve.plan) FROM PUBLIC;

REVOKE ALL ON FUNCTION ve.ve_visit(p_token bytea, p_veid integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ve.ve_visit(p_token bytea, p_veid integer) TO ve_portal;

REVOKE ALL ON FUNCTION ve.ve_wake(p_veid integer) FROM PUBLIC;

