-- SPDX-License-Identifier: MIT
-- Syntax and semantics: assignment, scopes, closures, varargs, calls, logic.
local a, b, c = (function() return 1, 2, 3 end)()
print(a, b, c, (function() return 1, 2, 3 end)())
a, b = b, a
print(a, b)
local t = { 1, 2, 3 }
local i = 1
i, t[i] = i + 1, 20
print(i, t[1], t[2])
local x <const> = 5
print(x, load("local y <const> = 1; y = 2"))
do local a = 10; do local a = 20; print(a) end print(a) end
print(1 and 2, nil and 1, false or 3, nil or false, 1 or error("no"))
print(not nil, not 0, not "", 1 == 1.0, "1" == 1, nil == false)
local function v(...)
  local n = select("#", ...)
  local a, b = ...
  return n, a, b, ...
end
print(v()) print(v(1)) print(v(nil, nil)) print((v(1, 2)))
print(v(v(1, 2), v(3)))
print(select(-1, 1, 2, 3), select(2, "a", "b", "c"))
print(#{ v(1) }, #{ v(1), 1 }, #{ n = 1 }, #{ 1, 2, nil, 4 })
local fs = {}
for i = 1, 3 do
  local j = i * 10
  fs[#fs + 1] = function(d) j = j + (d or 0); i = i + 1; return i, j end
end
for _, f in ipairs(fs) do print(f(1)) print(f()) end
local k = 0
local gs = {}
while k < 3 do
  k = k + 1
  local m = k
  gs[k] = function() m = m + 1; return m end
  if k == 2 then break end
end
print(gs[1](), gs[1](), gs[2](), gs[3])
repeat local done = true; local q = function() return done end until q()
local function fact(n) if n <= 1 then return 1 end return n * fact(n - 1) end
print(fact(20), fact(25))
local function tail(n, acc) if n == 0 then return acc end
  return tail(n - 1, acc + n) end
print(tail(200000, 0))
local obj = { n = 0 }
function obj:inc(by) self.n = self.n + (by or 1); return self end
function obj.static(z) return z * 2 end
print(obj:inc():inc(5).n, obj.static(4), obj["inc"](obj).n)
print(("x"):rep(3), #"abc", -2 ^ 2, 2 ^ 3 ^ 2, 1 .. 2 .. 3, "a" .. 1.5)
print(1 < 2 == true, "abc" < "abd", not 1 == 2, -3 % 5, 2 * 3 % 4)
print(5 // 2 * 2 + 5 % 2, 1 << 2 + 1, 6 & 3 | 8, 5 ~ 3, ~5 & 0xf)
local long = [[
first
second]]
print(long, [==[a]]b]=]c]==], "\x41\u{48}\65\z
      z", "tab\tq\"")
print(type(print), type(nil), type({}), type("x"), type(2), type(print)
  == "function")
local s = 0
for i = 10, 1, -2 do if i == 4 then goto_ = 1 end s = s + i end
print(s, goto_)
for w in ("one two three"):gmatch("%a+") do io.write(w, ".") end print()
local function iter(n, i) if i < n then return i + 1, i * i end end
for i, sq in iter, 4, 0 do io.write(i, "=", sq, " ") end print()
print(pcall(load, "return 1 +"))
print(load("return ...", "chunk")(7, 8))
print(load("x = 1; return x", "c", "t", {})(), x)
local env = { print = print }
load("y = 5; print(y)", "c", "t", env)()
print(env.y, y)
do
  local _ENV = { print = print, tostring = tostring }
  z = 3
  print(z, tostring(_ENV.z))
end
print(z)
local function many() return 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 end
local p, q, r = many(), many()
print(p, q, r, #{ many(), many() })
print(#{ many(), (many()) }, (select("#", many(), many())))
local deep = {}
for i = 1, 300 do deep[i] = i end
print(select("#", table.unpack(deep)), (select(300, table.unpack(deep))))
print((function(...) return select("#", ...) end)(table.unpack(deep, 1, 250)))
local u1, u2 = 1, 2
local function outer() local function inner() u1 = u1 + 1; return u1 + u2 end
  return inner() + inner() end
print(outer(), u1)
if nil then elseif false then else print("else") end
local n = 0
while true do n = n + 1 if n > 5 then break end end
print(n)
print(a and b and c, a and nil and c, (a or b) and c, a == 2 and "yes" or "no")
local function f3() return nil, 2 end
local first, second, third = f3()
print(first, second, third, (f3()))
print(not (1 > 2) and 3 or 4, 1 > 2 or 2 > 1, (1 > 2 and 1) or (2 > 1 and 2))
print(2^63, -2^63, 1//1, 1.0//1, 3 | 0, 10 // 3, 10.0 / 2, 3 - -3, - -3)
print(#"a\0b", ("a\0b"):byte(1, -1))
;;; print("semicolons")
