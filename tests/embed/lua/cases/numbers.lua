-- SPDX-License-Identifier: MIT
-- Integers and floats: conversions, formats, wrap-around, exact comparison,
-- loops at the ends of the integers and of the immediate range (2^47).
local wide = { 140737488355327, 140737488355328, -140737488355328,
               -140737488355329, math.maxinteger, math.mininteger, 0, 1, -1 }
for _, a in ipairs(wide) do
  for _, b in ipairs(wide) do
    print(a, b, a + b, a - b, a * b, a & b, a | b, a ~ b, a == b, a < b,
          a <= b, math.ult(a, b), a << 1, a >> 1, ~a, -a, a / 2, a + 0.0)
    if b ~= 0 then print(a // b, a % b) end
  end
end
local t = {}
for i, a in ipairs(wide) do t[a] = i end
for _, a in ipairs(wide) do io.write(t[a], " ", t[a + 0.0] or "-", " ") end
print()
print(math.fmod(-6, 4), math.fmod(6.5, -4), pcall(math.fmod, 1, 0))
print(math.modf(3.7), math.modf(-3.7), math.modf(5), math.modf(1/0))
print(math.tointeger("x"), math.tointeger({}), pcall(math.tointeger))
print(math.max(1, 2.5), math.min(3), pcall(math.max))
print(math.log(8,2), math.log(100,10), math.log(2.5), math.exp(1),
  math.ult(1,-1))
print(tostring(-0.0), 3 % -2, -3 % 2, 3.5 % -2, 5 // 0.0, -5 // 0.0,
  0/0 ~= 0/0)
print(1e308 * 10, -1e308 * 10, 2^1023 * 2, 1e15, 1e14, 123456.789e3, 0.1, 1/3)
print(100000000000000, 1e14 // 1, 2^53, 2^53 + 1)
print(tostring(1e100), 1e-5, 123e-7, 5e-324, 1.7976931348623157e308)
print("0x10" + 0, "1e1" + 0, " 5 " * 2, 0x7fffffffffffffff + 1,
  0xffffffffffffffff)
print(tonumber("0x"), tonumber("1e"), tonumber("1 2"), tonumber("0x1p-2"),
  tonumber("inf"), tonumber("nan"))
print(9223372036854775807, 9223372036854775808, -9223372036854775808,
  math.mininteger // -1, math.mininteger % -1)
print(tonumber("10", 2), tonumber("zz", 36), tonumber("8", 8), tonumber("-ff",
  16), tonumber(" 11 ", 2))
print(#"\u{7FFFFFFF}", "\x41\65\z
   B\u{48}", '\'', "a\
b")
print(1 < 1.5, 1 == 1.0, math.type(1), math.type(1.0), math.type("1"),
  2^31 | 0, "abc" < "abd", "a" < "B", "" < "a")
print(2^63 == math.maxinteger + 1.0, math.maxinteger + 0.0 == 2^63,
  math.maxinteger < 2^63, math.mininteger <= -2^63)
for i = 10, 1, -3 do io.write(i, " ") end print()
for i = 1.0, 2, 0.25 do io.write(i, " ") end print()
for i = math.maxinteger - 1, math.maxinteger do io.write(i, " ") end print()
for i = math.mininteger, math.mininteger + 2 do io.write(i, " ") end print()
for i = 1, 0 do print("never") end
for i = 3, 2.5 do print("never") end
for i = 1, 3.9 do io.write(i, " ") end print()
for i = 140737488355326, 140737488355330 do io.write(i, " ") end print()
for i = -140737488355326, -140737488355330, -1 do io.write(i, " ") end print()
math.randomseed(42)
print(math.random(100), math.random(), math.random(-5, 5), math.random(0))
print(1 << 63, 1 << 64, 1 << -1, -1 >> 1, -1 >> 63, ~0, 5 & 3.0)
for _, s in ipairs { "10", "0x10", "  7  ", "1e2", "abc", "5.", ".5", "0x1p4",
                     "1 2", "", "-0x8", "1e", "0x", "1e+", "--1", "1_0",
                     "9223372036854775807", "9223372036854775808", "0x.8",
                     "-9223372036854775808", "1e400", "0x1.8p1", "١" } do
  print(s, tonumber(s))
end
print(2^53 == 2^53 + 1, 2^53 | 0, 9007199254740993 < 9007199254740992.0)
print(math.maxinteger + 1.0 == math.maxinteger, math.maxinteger < 2^63)
print(1e15, 1e16, 123456789012.5, 2^24, -1e-300, 1e300 * 1e10, 5 // 0.3)
print(string.format("%.3f %5d|%-5d|%05d %x %X %o %e %g %a %c %i", 1.5, 42, 42,
                    42, 255, 255, 8, 12345.678, 1e20, 1.0, 65, 7))
print(7 // 2, -7 // 2, 7 // -2, -7 // -2, 7 % 3, -7 % 3, 7 % -3, -7 % -3)
print(7.5 // 2, -7.5 // 2, 7.5 % 2, -7.5 % 2, 7.5 % -2, 1e308 % 3)
for i = 1, 3 do local j = i; i = i * 10; io.write(i, ",", j, " ") end print()
for i = 3, 1 do print("never") end
for i = 1.0, 3 do io.write(i, " ") end print()
for i = 1, 2, 0.5 do io.write(i, " ") end print()
for i = math.maxinteger - 2, math.maxinteger do io.write(i, " ") end print()
for i = math.mininteger + 2, math.mininteger, -1 do io.write(i, " ")
  end print()
for i = 1, math.huge do if i > 3 then break end io.write(i, " ") end print()
for i = -1, -math.huge, -1 do if i < -3 then break end io.write(i, " ") end
print()
print(pcall(function() for i = 1, 10, 0 do end end))
