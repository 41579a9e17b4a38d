-- SPDX-License-Identifier: MIT
-- Chunks that outgrow the short operands: more than 65,536 constants in one
-- function, long tables, many statements, long jumps, many functions.
local kMany = 66000

local function build(head, one, tail, n)
  local out = { head }
  for i = 1, n or kMany do out[#out + 1] = (one:gsub("@", i)) end
  out[#out + 1] = tail
  return table.concat(out, "\n")
end
local function run(...)
  local f, e = load(build(...), "=big")
  if not f then return print("no", e) end
  print(pcall(f))
end

-- Names behind 65,536 constants: read, called, stored, as fields and methods.
local uses = [[
}
late_global = #t
late_other, late_third = late_global + 1, "third"
local object = { late_field = 7 }
function object:late_method(a) return self.late_field + a end
function object.late_function(a) return a .. "!" end
object.late_new = object.late_field * 1000003
local function inner() late_global = late_global + 1 return late_global end
return late_global, late_other, late_third, object:late_method(1),
  object.late_function("x"), object.late_new, inner(), _ENV.late_global,
  t[#t], type(late_missing), ("text"):late_upper()]]
string.late_upper = string.upper
run("local t = {", "'c@',", uses)
late_global = nil

-- The names in error messages are found, too.
run("local t = {", "'c@',", "} return late_missing.x")
run("local t = {", "'c@',", "} return late_missing()")
run("local t = {", "'c@',", "} return t:late_method()")
run("local t = {", "'c@',", "} return t.late_field.x")
run("local t = {", "'c@',", "} return t + 'late_text'")
run("local t = {", "'c@',", "} local _ENV = { y = 1 } late = y return late")

-- As many globals and methods as that, each used once.
run("local s = 0", "v@ = @ s = s + v@", "return s", 34000)
run("local o = setmetatable({}, { __index = function(_, k) return function()"
  .. " return #k end end }) local s = 0", "s = s + o:m@()", "return s")
run("local s = 0", "s = s + @.5", "return s")
run("local s = 0 while s < 1e5 do local t = {", "'c@',",
  "} s = s + #t end return s")

run("return #{", "@,", "}", 100000)
run("local t = {", "k@ = @,", "} return t.k1, t.k100000", 100000)
run("local t = {", "[@] = {},", "} return #t", 70000)
run("local x = 0", "x = x + 1", "return x", 70000)
run("local x = 0 if x == 0 then", "x = x + 1", "end return x", 70000)
run("local x = 0 if x == 1 then", "x = x + 1", "end return x", 70000)
run("local x = 0 while x < 9e4 do", "x = x + 1", "end return x", 70000)
run("local x = 0 repeat", "x = x + 1", "until x > 9e4 return x", 70000)
run("local x = 0 for i = 1, 2 do", "x = x + 1", "end return x", 60000)
run("local x = 0 for k in pairs { 1, 2 } do", "x = x + 1", "end return x",
  60000)
run("local s = 0", "s = s + (function() return @ end)()", "return s", 60000)
