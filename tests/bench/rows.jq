# SPDX-License-Identifier: Apache-2.0
# Sample lines to a bench file.  Percentiles are of the nearest rank.
def rank($p): .[([(length * $p / 100) | ceil, 1] | max) - 1];
def stats: sort | {n: length, p50: rank(50), p99: rank(99), min: first, max: last};

[inputs | [splits(" +")] | if length > 4 and (.[1] | IN("icount", "wall", "native")) then .
  else error("not a sample: " + join(" ")) end]
| reduce .[] as $l ([]; ($l[0:4]) as $key | (map(.key) | index([$key])) as $at
  | (if $at == null then . + [{key: $key, values: [], error: null}] else . end)
  | ($at // length - 1) as $i
  | if $l[4] == "want" then .
    elif $l[4] == "error" then .[$i].error //= ($l[5:] | join(" "))
    else .[$i].values += [$l[4] | tonumber] end)
| {bench: $name, date: $date, machine: $machine, rows: map(
    {metric: .key[0], mode: .key[1], subject: .key[2], unit: .key[3]}
    + if .error != null then {error: .error}
      elif .values == [] then {error: (if $rc == 0 then "not measured" else "the bench ended with status \($rc)" end)}
      else (.values | stats) end)}
