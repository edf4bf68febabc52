#include "roles/module/answer_writer.h"

#include "modules/frames.h"

namespace mig {
namespace {

void CountInto(ModuleResult& summary, std::string_view name, json::value number) {
  if (!summary.statistics.is_object()) summary.statistics.emplace_object();
  summary.statistics.get_object()[name] = std::move(number);
}

// The texts of an array that stands in the summary itself, joined by commas.
std::string OwnTexts(const json::object& own, std::string_view label) {
  std::string texts;
  const json::value* array = own.if_contains(label);
  if (array == nullptr || !array->is_array()) return texts;
  for (const json::value& element : array->get_array()) {
    if (!texts.empty()) texts += ',';
    texts += json::Write(element);
  }
  return texts;
}

}  // namespace

bool AnswerWriter::Emit(std::string_view label, json::value element) {
  if (!truncated_.empty()) return false;
  const std::string text = json::Write(element);
  // In both forms, so that what is answered does not depend on who asks.
  if (!EncodeElementText(label, text)) {
    ++left_out_;
    return true;
  }
  if (rows_ == limits_.rows) {
    truncated_ = "rows";
    return false;
  }
  if (text.size() > limits_.bytes - bytes_) {
    truncated_ = "bytes";
    return false;
  }
  ++rows_;
  bytes_ += text.size();
  return WriteElement(label, text);
}

bool AnswerWriter::Finish(ModuleResult summary) {
  if (!truncated_.empty()) CountInto(summary, "truncated", json::value(truncated_));
  if (left_out_ > 0) CountInto(summary, "leftout", json::FromUint(left_out_));
  return WriteSummary(summary);
}

bool FrameWriter::WriteElement(std::string_view label, const std::string& text) {
  const auto frame = EncodeElementText(label, text);
  return frame && out_.Write(*frame);
}

bool FrameWriter::WriteSummary(const ModuleResult& summary) {
  out_.Write(EncodeSummary(summary));
  return out_.Flush();
}

bool JsonWriter::WriteElement(std::string_view label, const std::string& text) {
  if (!started_) {
    started_ = true;
    first_label_ = label;
    return out_.Write("{\"elements\":{" + json::Write(json::value(label)) + ":[" + text);
  }
  if (label == first_label_) return out_.Write("," + text);
  for (Waiting& other : waiting_) {
    if (other.label != label) continue;
    other.texts += "," + text;
    return true;
  }
  waiting_.push_back({std::string(label), text});
  return true;
}

bool JsonWriter::WriteSummary(const ModuleResult& summary) {
  json::object fields = ToJson(summary);
  if (!started_) {
    out_.Write(json::Write(fields) + "\n");
    return out_.Flush();
  }
  json::object own;
  if (summary.elements.is_object()) own = summary.elements.get_object();
  if (const std::string texts = OwnTexts(own, first_label_); !texts.empty()) {
    out_.Write("," + texts);
  }
  out_.Write("]");
  own.erase(first_label_);
  for (const Waiting& other : waiting_) {
    out_.Write("," + json::Write(json::value(other.label)) + ":[" + other.texts);
    if (const std::string texts = OwnTexts(own, other.label); !texts.empty()) {
      out_.Write("," + texts);
    }
    out_.Write("]");
    own.erase(other.label);
  }
  for (const auto& member : own) {
    out_.Write("," + json::Write(json::value(member.key())) + ":" + json::Write(member.value()));
  }
  out_.Write("}");
  fields.erase("elements");
  for (const auto& member : fields) {
    out_.Write("," + json::Write(json::value(member.key())) + ":" + json::Write(member.value()));
  }
  out_.Write("}\n");
  return out_.Flush();
}

}  // namespace mig
