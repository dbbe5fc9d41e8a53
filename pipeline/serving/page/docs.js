// The API's own document, drawn by Swagger UI from this server. Nothing is sent to its makers' validator.
window.SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#documentation",
  deepLinking: true,
  validatorUrl: null,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelRendering: "model",
  defaultModelExpandDepth: 3,
  docExpansion: "list",
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
