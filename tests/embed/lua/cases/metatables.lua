-- SPDX-License-Identifier: MIT
-- Metamethods of all kinds, inheritance, protected metatables.
local V = {}
V.__index = V
local function new(x) return setmetatable({ x = x }, V) end
local function x(v) return type(v) == "table" and v.x or v end
for _, op in ipairs { "add", "sub", "mul", "div", "mod", "pow", "idiv", "band",
                      "bor", "bxor", "shl", "shr", "concat" } do
  V["__" .. op] = function(a, b) return op .. ":" .. tostring(x(a)) .. "," ..
    tostring(x(b)) end
end
V.__unm = function(a, b) return "unm" .. x(a) .. x(b) end
V.__bnot = function(a) return "bnot" .. x(a) end
V.__len = function(a) return x(a) * 100 end
V.__eq = function(a, b) return x(a) == x(b) end
V.__lt = function(a, b) return x(a) < x(b) end
V.__le = function(a, b) return x(a) <= x(b) end
V.__call = function(self, ...) return self.x, select("#", ...), ... end
V.__tostring = function(a) return "V(" .. x(a) .. ")" end
V.__name = "Vector"
local a, b = new(1), new(2)
print(a + b, a + 5, 5 + a, a - 1, 1 - a, a * 2, 2 * a, a / 2, a % 2, a ^ 2)
print(a // 2, a & 1, 1 | a, a ~ 3, a << 1, a >> 1, a .. "s", "s" .. a, 1 .. a)
print(a .. b, -a, ~a, #a, a == b, a == new(1), a ~= b, a < b, a <= b, a > b)
print(a < 5, 5 > a, a >= b, a(1, 2), tostring(a), a(nil))
print(rawequal(a, new(1)), rawlen(a), a == 1)
local Base = {}
Base.__index = Base
function Base.hello(self) return "hello from " .. self.name end
local Derived = setmetatable({}, Base)
Derived.__index = Derived
function Derived.bye(self) return "bye " .. self.name end
local d = setmetatable({ name = "d" }, Derived)
print(d:hello(), d:bye(), d.nothing, rawget(d, "hello"))
function Derived.hello(self) return "derived " .. Base.hello(self) end
print(d:hello())
local log = {}
local p = setmetatable({}, {
  __index = function(t, k) log[#log + 1] = "get " .. tostring(k); return k end,
  __newindex = function(t, k, v) log[#log + 1] = "set " .. tostring(k)
    rawset(t, k, v) end })
p.a = p.b; p.a = 2; p[1] = p[2]; p[1.5] = p.a
print(table.concat(log, ";"), p.a, p[1], p[1.5])
local store = {}
local q = setmetatable({}, { __newindex = store, __index = store })
q.z = 5; print(rawget(q, "z"), store.z, q.z)
print(getmetatable("x").__index == string, getmetatable(1),
  getmetatable(print))
local guarded = setmetatable({}, { __metatable = "locked" })
print(getmetatable(guarded), pcall(setmetatable, guarded, {}))
local it = setmetatable({}, { __pairs = function(t)
  return function(_, k) if not k then return 1, "one" end end, t, nil end })
for k, v in pairs(it) do print(k, v) end
local callable = setmetatable({}, { __call = function(self, n)
  return n * 2 end })
print(callable(21), pcall(callable, 4), select(2, pcall(callable, {})) ~= nil)
for i in setmetatable({}, { __call = function(_, _, i)
  i = (i or 0) + 1; if i <= 3 then return i end end }) do io.write(i, " ") end
print()
local function tail() return callable(8) end
print(tail())
local cmp = { __lt = function(a, b) return a.k < b.k end }
local l = {}
for i = 1, 20 do l[i] = setmetatable({ k = i * 7 % 11 }, cmp) end
table.sort(l)
for i = 1, 20 do io.write(l[i].k, " ") end print()
local idx = setmetatable({}, { __index = function(_, k) return k .. "!" end })
print(idx.foo, idx[1], ("x"):rep(2, idx.sep))
print(pcall(function() return a + nil end), pcall(function()
  return {} + a end))
local unary = setmetatable({}, { __unm = function() return "neg" end,
  __len = function() return "len" end, __eq = function() return 1 end })
print(-unary, #unary, unary == setmetatable({}, getmetatable(unary)))
local late = {}
local lt = setmetatable({}, late)
print(lt.x); late.__index = function() return "late" end; print(lt.x)
late.__index = nil; print(lt.x)
print(tostring(setmetatable({}, { __name = "My" })):match("^My: ") ~= nil)
