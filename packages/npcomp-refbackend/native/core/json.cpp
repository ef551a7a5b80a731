#include "json.h"

#include "error.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace refrt::json {
namespace {

constexpr int kMaxDepth = 200;

class Parser {
public:
  explicit Parser(const std::string &text) : at(text.c_str()), begin(at), end(at + text.size()) {}

  Value document() {
    Value result = value(0);
    skip();
    if (at != end)
      fail("something after the value");
    return result;
  }

private:
  const char *at, *begin, *end;

  [[noreturn]] void fail(const char *what) {
    throw LoadError("the program's header is not valid JSON: " + std::string(what) + " at byte " +
                    std::to_string(at - begin));
  }

  void skip() {
    while (at != end && strchr(" \t\r\n", *at) && *at)
      ++at;
  }

  bool take(const char *word) {
    size_t length = strlen(word);
    if (size_t(end - at) < length || memcmp(at, word, length) != 0)
      return false;
    at += length;
    return true;
  }

  Value value(int depth) {
    skip();
    if (depth > kMaxDepth)
      fail("nesting deeper than 200");
    if (at == end)
      fail("the end of the text instead of a value");
    Value result;
    if (take("{")) {
      result.type = Value::Object;
      members(result, depth);
    } else if (take("[")) {
      result.type = Value::Array;
      items(result, depth);
    } else if (take("\"")) {
      result.type = Value::String;
      result.text = string();
    } else if (take("true")) {
      result.type = Value::Bool;
      result.boolean = true;
    } else if (take("false")) {
      result.type = Value::Bool;
    } else if (!take("null")) {
      number(result);
    }
    return result;
  }

  void items(Value &result, int depth) {
    skip();
    if (take("]"))
      return;
    do {
      result.items.push_back(value(depth + 1));
      skip();
    } while (take(","));
    if (!take("]"))
      fail("no ']'");
  }

  void members(Value &result, int depth) {
    skip();
    if (take("}"))
      return;
    do {
      skip();
      if (!take("\""))
        fail("no member name");
      std::string name = string();
      skip();
      if (!take(":"))
        fail("no ':'");
      result.members.emplace_back(std::move(name), value(depth + 1));
      skip();
    } while (take(","));
    if (!take("}"))
      fail("no '}'");
  }

  unsigned hex4() {
    unsigned code = 0;
    for (int i = 0; i < 4; ++i, ++at) {
      char c = at == end ? ' ' : *at;
      int digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
      if (digit < 0)
        fail("a broken \\u escape");
      code = code * 16 + unsigned(digit);
    }
    return code;
  }

  void appendUtf8(std::string &out, unsigned code) {
    if (code < 0x80) {
      out += char(code);
    } else if (code < 0x800) {
      out += char(0xC0 | code >> 6);
      out += char(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      out += char(0xE0 | code >> 12);
      out += char(0x80 | (code >> 6 & 0x3F));
      out += char(0x80 | (code & 0x3F));
    } else {
      out += char(0xF0 | code >> 18);
      out += char(0x80 | (code >> 12 & 0x3F));
      out += char(0x80 | (code >> 6 & 0x3F));
      out += char(0x80 | (code & 0x3F));
    }
  }

  void escape(std::string &out) {
    if (at == end)
      fail("an open string");
    static const char kFrom[] = "\"\\/bfnrt", kTo[] = "\"\\/\b\f\n\r\t";
    char c = *at++;
    if (c == 'u') {
      unsigned code = hex4();
      if (code >= 0xD800 && code < 0xDC00 && take("\\u"))
        code = 0x10000 + ((code & 0x3FF) << 10 | (hex4() & 0x3FF));
      return appendUtf8(out, code);
    }
    const char *known = c ? strchr(kFrom, c) : nullptr;
    if (!known)
      fail("an unknown escape");
    out += kTo[known - kFrom];
  }

  std::string string() {
    std::string out;
    for (;;) {
      if (at == end)
        fail("an open string");
      char c = *at++;
      if (c == '"')
        return out;
      if (c == '\\')
        escape(out);
      else
        out += c;
    }
  }

  void number(Value &result) {
    static const struct {
      const char *word;
      double value;
    } kWords[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
    for (const auto &row : kWords)
      if (take(row.word)) {
        result.type = Value::Float;
        result.number = row.value;
        return;
      }
    size_t length = strspn(at, "+-0123456789.eE");
    if (!length || length > size_t(end - at))
      fail("no value");
    std::string text(at, length);
    char *stop;
    errno = 0;
    result.type = text.find_first_of(".eE") == std::string::npos ? Value::Int : Value::Float;
    if (result.type == Value::Int)
      result.number = double(result.integer = strtoll(text.c_str(), &stop, 10));
    else
      result.number = strtod(text.c_str(), &stop);
    if (*stop || (errno && result.type == Value::Int))
      fail("a broken number");
    at += length;
  }
};

[[noreturn]] void mismatch(const char *wanted) {
  throw LoadError(std::string("the program's header holds something else where ") + wanted + " is needed");
}

} // namespace

const Value *Value::find(const char *name) const {
  for (const auto &member : members)
    if (member.first == name)
      return &member.second;
  return nullptr;
}

const Value &Value::at(const char *name) const {
  if (const Value *member = find(name))
    return *member;
  throw LoadError("the program's header lacks '" + std::string(name) + "'");
}

const std::string &Value::string() const {
  if (type != String)
    mismatch("a string");
  return text;
}

int64_t Value::asInt() const {
  if (type != Int)
    mismatch("an integer");
  return integer;
}

double Value::asDouble() const {
  if (type != Int && type != Float)
    mismatch("a number");
  return number;
}

bool Value::asBool() const {
  if (type != Bool)
    mismatch("true or false");
  return boolean;
}

const std::vector<Value> &Value::array() const {
  if (type != Array)
    mismatch("a list");
  return items;
}

const std::vector<Value> &Value::list(const char *name) const {
  static const std::vector<Value> kNone;
  const Value *member = find(name);
  return member ? member->array() : kNone;
}

std::string Value::textOr(const char *name) const {
  const Value *member = find(name);
  return member && member->type == String ? member->text : std::string();
}

Value parse(const std::string &text) { return Parser(text).document(); }

} // namespace refrt::json
