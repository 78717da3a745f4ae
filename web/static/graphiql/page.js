// The GraphiQL page: the token comes in the fragment (#token=…), which browsers never send to a server.
"use strict";

(async () => {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem("parcours-token", given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  const token = sessionStorage.getItem("parcours-token") || "";
  const authorization = token ? { Authorization: "Bearer " + token } : {};
  const headers = JSON.stringify(token ? authorization : { Authorization: "Bearer " }, null, 2);

  const sockets = new Map();
  const socketOf = (bearer) => {
    if (!sockets.has(bearer)) {
      const url = location.origin.replace(/^http/, "ws") + location.pathname;
      sockets.set(bearer, graphqlWs.createClient({ url, connectionParams: { authorization: bearer } }));
    }
    return sockets.get(bearer);
  };

  const isSubscription = (params, document) =>
    ((document && document.definitions) || []).some(
      (definition) =>
        definition.operation === "subscription" &&
        (!params.operationName || (definition.name && definition.name.value === params.operationName)),
    );

  const fetcher = async (params, options = {}) => {
    const sent = { ...authorization, ...options.headers };
    const bearer = sent.Authorization || sent.authorization || "";
    if (isSubscription(params, options.documentAST)) return socketOf(bearer).iterate(params);
    const response = await fetch(location.pathname, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/graphql-response+json", ...sent },
      body: JSON.stringify(params),
    });
    return response.json();
  };

  const tabs = await (await fetch("/static/graphiql/tabs.json")).json();
  const page = React.createElement(GraphiQL, {
    fetcher,
    headers,
    defaultHeaders: headers,
    defaultTabs: tabs.map(({ query, variables }) => ({
      query: query.join("\n"),
      variables: variables ? JSON.stringify(variables, null, 2) : undefined,
      headers,
    })),
    defaultEditorToolsVisibility: token ? "variables" : "headers",
    shouldPersistHeaders: false,
  });
  ReactDOM.createRoot(document.getElementById("graphiql")).render(page);
})();
