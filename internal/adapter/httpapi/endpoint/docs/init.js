"use strict";

// Every operation can fail in ten ways, and all failures look alike: only the first of them is shown with its form.
const shortProblems = () => ({
  wrapComponents: {
    response: (Original, system) => (props) => {
      const responses = system.specSelectors.specJson().getIn(["paths", props.path, props.method, "responses"]);
      const first = responses && responses.keySeq().find((code) => code >= "400");
      const short = props.code >= "400" && props.code !== first;
      return system.React.createElement(Original, short ? { ...props, response: props.response.delete("content").delete("headers") } : props);
    },
  },
});

window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [shortProblems],
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  operationsSorter: (a, b) => a.getIn(["operation", "x-order"]) - b.getIn(["operation", "x-order"]),
});
