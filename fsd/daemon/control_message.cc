#include "fsd/daemon/control_message.h"

#include <nlohmann/json.hpp>

namespace stela::fsd {
namespace {

using MessageJson = nlohmann::json;

// File names are any bytes, JSON text is UTF-8: bytes travel as code points U+0000 to U+00FF.
std::string to_latin1_text(std::string_view bytes) {
  std::string text;
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text.push_back(c);
    } else {
      text.push_back(static_cast<char>(0xc0 | (byte >> 6)));
      text.push_back(static_cast<char>(0x80 | (byte & 0x3f)));
    }
  }
  return text;
}

std::string from_latin1_text(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0xc0 && i + 1 < text.size()) {
      byte = static_cast<unsigned char>(((byte & 0x03) << 6) | (static_cast<unsigned char>(text[++i]) & 0x3f));
    }
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

MessageJson encode_list(const std::vector<std::string>& values) {
  MessageJson list = MessageJson::array();
  for (const std::string& value : values) list.push_back(to_latin1_text(value));
  return list;
}

bool decode_list(const MessageJson& document, const char* name, std::vector<std::string>& out) {
  auto found = document.find(name);
  if (found == document.end()) return true;
  if (!found->is_array()) return false;
  for (const MessageJson& item : *found) {
    if (!item.is_string()) return false;
    out.push_back(from_latin1_text(item.get_ref<const std::string&>()));
  }
  return true;
}

std::string text_field(const MessageJson& document, const char* name) {
  auto found = document.find(name);
  if (found == document.end() || !found->is_string()) return {};
  return from_latin1_text(found->get_ref<const std::string&>());
}

uint64_t number_field(const MessageJson& document, const char* name) {
  auto found = document.find(name);
  return found != document.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

// Deeper nesting than these messages have is refused before it is built.
MessageJson parse_shallow(std::string_view line) {
  auto limit_depth = [](int depth, MessageJson::parse_event_t, MessageJson&) { return depth <= 4; };
  return MessageJson::parse(line, limit_depth, false);
}

}  // namespace

std::string encode_request(const VerbRequest& request) {
  MessageJson options = MessageJson::object();
  for (const auto& [name, values] : request.options) options[name] = encode_list(values);
  MessageJson document = {{"verb", to_latin1_text(request.verb)},
                   {"args", encode_list(request.args)},
                   {"options", options},
                   {"inputs", encode_list(request.input_names)}};
  return document.dump();
}

Result<VerbRequest> decode_request(std::string_view line) {
  MessageJson document = parse_shallow(line);
  if (!document.is_object()) return invalid("the request is not a line of JSON");
  VerbRequest request;
  request.verb = text_field(document, "verb");
  bool ok = !request.verb.empty() && decode_list(document, "args", request.args) &&
            decode_list(document, "inputs", request.input_names);
  auto options = document.find("options");
  if (ok && options != document.end()) {
    ok = options->is_object();
    for (auto item = options->begin(); ok && item != options->end(); ++item) {
      ok = decode_list(*options, item.key().c_str(), request.options[item.key()]);
    }
  }
  if (!ok) return invalid("the request lacks its verb, or a part of it is not of its type");
  return request;
}

std::string encode_reply(const ControlReply& reply) {
  if (reply.progress) {
    MessageJson progress = {{"what", to_latin1_text(reply.progress->what)},
                     {"done", reply.progress->done},
                     {"total", reply.progress->total},
                     {"rows", reply.progress->rows}};
    return MessageJson{{"progress", progress}}.dump();
  }
  return MessageJson{{"exit", reply.outcome.exit_code}, {"message", to_latin1_text(reply.outcome.message)}}.dump();
}

Result<ControlReply> decode_reply(std::string_view line) {
  MessageJson document = parse_shallow(line);
  if (!document.is_object()) return invalid("the daemon's answer is not a line of JSON");
  ControlReply reply;
  auto progress = document.find("progress");
  if (progress != document.end() && progress->is_object()) {
    reply.progress = VerbProgress{text_field(*progress, "what"), number_field(*progress, "done"),
                                  number_field(*progress, "total"), number_field(*progress, "rows")};
    return reply;
  }
  auto exit_code = document.find("exit");
  if (exit_code == document.end() || !exit_code->is_number_integer()) {
    return invalid("the daemon's answer has no exit code");
  }
  reply.outcome = {exit_code->get<int>(), text_field(document, "message")};
  return reply;
}

}  // namespace stela::fsd
