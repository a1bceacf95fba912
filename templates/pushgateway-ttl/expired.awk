# Reads the ttl file and then lines of the Pushgateway's page; prints a path for DELETE, a space and the labels of each group
# that is older than its ttl at the time `now`, at most `most` lines. Exit status 1: the page is not complete.
BEGIN {
  for (i = 1; i < 256; i++) ord[sprintf("%c", i)] = i
  digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  shortest = -1
}

NR == FNR {
  if ($1 == "names") names = $2
  if ($1 == "default") general = $2
  # A name may have spaces.
  if ($1 == "job") own[substr($0, length($1 $2) + 3)] = $2
  if (($1 == "default" || $1 == "job") && $2 > 0 && (shortest < 0 || $2 < shortest)) shortest = $2
  next
}

# The page is sorted: this follows the times of all groups.
/^pushgateway_build_info/ { complete = 1; next }

# A time of the years 2001 to 2286, with its exponent: a line that was cut off has none.
$NF !~ /^[0-9.]+e\+09$/ && $NF != 0 { next }

/^push_failure/ { failed[labels_of($0)] = $NF; next }

printed < most {
  labels = labels_of($0)
  at = $NF
  # Only pushes that failed.
  if (at == 0) at = failed[labels]
  if (at > 0 && now - at > shortest && read(labels) && now - at > limit) {
    print path "/instance@base64/" base64(instance) others " {" printable(labels) "}"
    # The page adds the label instance="" to a group without that label.
    if (instance == "") print path others
    printed += instance == "" ? 2 : 1
  }
}

END { exit !complete }

function labels_of(line) {
  return substr(line, index(line, "{") + 1, length(line) - index(line, "{") - length($NF) - 2)
}

# Sets path, instance, others and limit from labels as they are on the page; returns 0 for what it cannot read.
function read(labels,    name, raw, job, at) {
  at = 1
  job = instance = others = ""
  while (at <= length(labels)) {
    if (substr(labels, at, 1) == "\"") {
      at = quoted(labels, at)
      name = text
    } else {
      name = substr(labels, at, index(substr(labels, at), "=") - 1)
      at += length(name)
    }
    if (name == "" || substr(labels, at, 2) != "=\"") return 0
    raw = at + 2
    at = quoted(labels, at + 1)
    if (at == 0) return 0
    raw = substr(labels, raw, at - raw - 1)
    if (name == "job") {
      job = raw
      path = "/metrics/job@base64/" base64(text)
    } else if (name == "instance") instance = text
    else others = others "/" name_in_path(name) "@base64/" base64(text)
    if (at <= length(labels) && substr(labels, at, 1) != ",") return 0
    at++
  }
  limit = job in own ? own[job] : general
  return job != "" && limit > 0
}

# Sets text to the quoted string that begins at a position; returns the position after it, 0 when it has no end.
function quoted(line, at,    c) {
  text = ""
  for (at++; at <= length(line); at++) {
    c = substr(line, at, 1)
    if (c == "\"") return at + 1
    if (c == "\\") {
      c = substr(line, ++at, 1)
      if (c == "n") c = "\n"
    }
    text = text c
  }
  return 0
}

function base64(value,    out, at, left, bits) {
  if (value == "") return "="
  for (at = 1; at <= length(value); at += 3) {
    left = length(value) - at
    bits = ord[substr(value, at, 1)] * 65536 + (left > 0 ? ord[substr(value, at + 1, 1)] * 256 : 0) + (left > 1 ? ord[substr(value, at + 2, 1)] : 0)
    out = out digit(bits / 262144) digit(bits / 4096) (left > 0 ? digit(bits / 64) : "") (left > 1 ? digit(bits) : "")
  }
  return out
}

function digit(bits) {
  return substr(digits, int(bits) % 64 + 1, 1)
}

# A Pushgateway with UTF-8 names reads U__, and each other character by its code.
function name_in_path(name,    out, at, c, code, more) {
  if (names != "utf8" || (name ~ /^[a-zA-Z_][a-zA-Z0-9_]*$/ && name !~ /^U__/)) return name
  out = "U__"
  for (at = 1; at <= length(name); at++) {
    c = substr(name, at, 1)
    if (c == "_") out = out "__"
    else if (c ~ /[a-zA-Z:]/ || (c ~ /[0-9]/ && at > 1)) out = out c
    else {
      code = ord[c]
      more = code >= 240 ? 3 : code >= 224 ? 2 : code >= 192 ? 1 : 0
      if (more > 0) code -= more == 3 ? 240 : more == 2 ? 224 : 192
      for (; more > 0; more--) code = code * 64 + ord[substr(name, ++at, 1)] - 128
      out = out sprintf("_%x_", code)
    }
  }
  return out
}

function printable(labels) {
  gsub(/[\001-\037\177]/, "?", labels)
  return labels
}
