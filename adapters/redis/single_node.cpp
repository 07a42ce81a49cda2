#include "adapters/redis/single_node.hpp"

#include <utility>

namespace roombus::redis {

namespace {

class single_node final : public nodes {
 public:
  single_node(connection_options options, connection_environment env) : node_(std::move(options), env) {}

  connection* for_slot(std::uint16_t /*slot*/) override { return &node_; }
  connection* at(const std::string& /*address*/, const connection& /*asked*/) override { return nullptr; }
  void moved(std::uint16_t /*slot*/, const std::string& /*address*/, const connection& /*asked*/) override {
    redirected_ = true;
  }
  void suspect() override {}
  [[nodiscard]] bool ready() const override { return node_.ready(); }
  [[nodiscard]] std::string trouble() const override {
    const std::string where = node_.address().str() + ": ";
    if (!node_.trouble().empty()) return where + node_.trouble();
    return redirected_ ? where + "is a node of a cluster (store.cluster = true)" : "";
  }

 private:
  connection node_;
  bool redirected_ = false;
};

}  // namespace

std::unique_ptr<nodes> make_single_node(connection_options options, connection_environment env) {
  return std::make_unique<single_node>(std::move(options), env);
}

}  // namespace roombus::redis
