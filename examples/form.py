"""A form and its answer: http://127.0.0.1:8888/myform."""

from cyclone.web import Application, RequestHandler

FORM = """<!DOCTYPE html>
<title>Form</title>
<form action="/myform" method="post">
  <input type="text" name="message">
  <input type="submit" value="Submit">
</form>
"""


class MyFormHandler(RequestHandler):
    def get(self) -> None:
        self.write(FORM)

    def post(self) -> None:
        self.set_header("Content-Type", "text/plain")
        self.write("You wrote " + self.get_argument("message"))


application = Application([(r"/myform", MyFormHandler)])

if __name__ == "__main__":
    from twisted.internet import reactor

    reactor.listenTCP(8888, application, interface="127.0.0.1")
    reactor.run()
